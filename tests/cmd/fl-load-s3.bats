#!/usr/bin/env bats
# shellcheck disable=SC2154 # run sets output and status
# The lake on S3 where its server does what no good one does all the time: it is
# slow, full, overtaxed, of another kind, or lets two writers win. What a good
# one does is in tests/live/s3.bats.

load ../helper/common
load ../helper/serve

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export data=$BATS_TEST_TMPDIR
	export AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=s3cret AWS_REGION=us-east-1
	export AWS_EC2_METADATA_DISABLED=true HOME=$BATS_TEST_TMPDIR
	unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_DEFAULT_REGION
	echo 'financelake lake 1' >format
	echo '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>' >empty
	echo '<ListBucketResult><Contents><Key>x/a</Key><Size>1</Size></Contents></ListBucketResult>' >item
	echo '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>' >none
	fault SlowDown 'Please reduce your request rate.' >slow
	fault InternalError 'We encountered an internal error. Please try again.' >internal
	fault NoSuchKey 'The specified key does not exist.' >gone
	quote='{"type":"quote","ts":"2026-01-02T16:00:01.000Z","provider":"t","symbol":"ZZZT","price":1,"seq":1}'
	echo "$quote" >in
	{
		echo '{"type":"mark","pipeline":"p","at":{},"open":true,"via":["t"]}'
		echo "$quote"
		echo '{"type":"mark","pipeline":"p","at":{"o":[null,"5"]},"end":true}'
	} >stream
}
servings=0
teardown() { end_servers; }

fault() { echo "<Error><Code>$1</Code><Message>$2</Message></Error>"; }

# s3_of <SCRIPT: a server that answers so; $log is what it was asked.
s3_of() {
	log=s3-$((++servings))
	serve "$log"
	export AWS_ENDPOINT_URL_S3=$url
}
# A lake with nothing in it.
lake='_format | 200 | body=format
uploads= | 200 | body=none
list-type | 200 | body=empty'

@test "a server that does not keep If-None-Match is refused for marks with 4, and good for all else" {
	s3_of <<-END
		$lake
		_tmp | 200
		quote | 200 | text=<CopyObjectResult/>
	END
	run -4 fl-load --pipeline p s3://bkt/x stream
	[[ $output == *"the server of 's3://bkt/x/' does not keep If-None-Match, by which of two writers of a pipeline one wins: load without --pipeline, or into another place"* ]]
	fl-load s3://bkt/x in
	asked "$log" | grep -q '^/bkt/x/quote/dt%3D2026-01-02/part-'
}

@test "SlowDown and errors of the server are waited for, and then all is well" {
	s3_of <<-END
		_format | 503 | body=slow
		_format | 500 | body=internal
		_format | 429 | header=Retry-After: 1
		_format | 200 | body=format
		list-type | 503 | body=slow
		list-type | 200 | body=item
		list-type | 200 | body=empty
	END
	run -0 fl-fetch store s3://bkt/x
	[ -z "$output" ]
	[ "$(asked "$log" | grep -c _format)" = 4 ]
}

@test "a server that never recovers is 3, in its own words" {
	s3_of <<-END
		_format | 503 | body=slow
		list-type | 200 | body=item
	END
	run -3 fl-load s3://bkt/x in
	[[ $output == *"cannot read 's3://bkt/x/_commit/_format': SlowDown: Please reduce your request rate. (HTTP 503) (6 tries)"* ]]
}

@test "answers that are cut, empty or of another kind are no answers" {
	s3_of <<-END
		_format | 200 | body=format
		list-type | 200 | text=<ListBucketResult><IsTrunc
	END
	run -3 fl-fetch store s3://bkt/x
	[[ $output == *"cannot read what 's3://bkt' lists: line 1: unclosed token"* ]]
	s3_of <<-END
		list-type | 200 | text=<html><body>Welcome</body></html>
	END
	run -4 fl-fetch store s3://bkt/x
	[[ $output == *"'s3://bkt' answers a listing with something else: is its server one for S3?"* ]]
	s3_of <<-END
		list-type | 200 | body=empty | cut=20
		list-type | 200 | drop
		list-type | 200 | body=item
		list-type | 200 | body=empty
		_format | 200 | body=format | cut=5
		_format | 200 | body=format
	END
	run -0 fl-fetch store s3://bkt/x --type quote
	[ "$(asked "$log" | grep -c _format)" = 2 ]
}

@test "a copy that fails after it has begun to answer is made again" {
	s3_of <<-END
		$lake
		_tmp | 200
		quote | 200 | body=internal
		quote | 200 | text=<CopyObjectResult/>
	END
	fl-load s3://bkt/x in
	[ "$(asked "$log" | grep -c /quote/)" = 2 ]
	s3_of <<-END
		$lake
		_tmp | 200
		quote | 200 | body=internal
	END
	run -3 fl-load s3://bkt/x in
	[[ $output == *"cannot write 's3://bkt/x/quote/dt=2026-01-02/part-"*"InternalError: "* ]]
}

@test "what was written and is gone before it is published is no success" {
	s3_of <<-END
		$lake
		_tmp | 200
		quote | 404 | body=gone
	END
	run -3 fl-load s3://bkt/x in
	[[ $output == *"was removed before it was published"* ]]
}

@test "a commit of which nobody knows whether it was made is looked at" {
	# It was not made, and somebody else has made one.
	echo '<ListBucketResult><Contents><Key>x/_commit/p/1</Key><Size>1</Size></Contents></ListBucketResult>' >one
	echo '{"pipeline":"p","by":"another","stamp":"18eb86f15ebeda6f","positions":[{"origin":"o","pos":"9","via":[]}],"objects":[]}' >commit
	s3_of <<-END
		_format | 200 | body=format
		_format | 412
		uploads= | 200 | body=none
		x%2F_commit%2Fp | 200 | body=empty
		x%2F_commit%2Fp | 200 | body=one
		list-type | 200 | body=empty
		_tmp | 200
		_commit/p/1 | 200 | drop
		_commit/p/1 | 412
		_commit/p/1 | 200 | body=commit
	END
	run -3 fl-load --pipeline p s3://bkt/x stream
	[[ $output == *"pipeline 'p' was taken over: somebody else has committed to 's3://bkt/x/' meanwhile"* ]]
	end_servers
	# Nobody can tell: what it may name stays for the next one.
	s3_of <<-END
		_format | 200 | body=format
		_format | 412
		uploads= | 200 | body=none
		list-type | 200 | body=empty
		_tmp | 200
		_commit/p/1 | 200 | drop
	END
	run -3 fl-load --pipeline p s3://bkt/x stream
	[[ $output == *"cannot write 's3://bkt/x/_commit/p/1'"* ]]
	run ! grep -q '^[0-9]* DELETE .*_tmp' "$log.log.full"
}

@test "a bucket in another region is found where it says" {
	s3_of <<-END
		list-type | 301 | text=<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error> | header=x-amz-bucket-region: eu-west-3
	END
	run -4 fl-fetch store s3://bkt/x
	[[ $output == *"PermanentRedirect: elsewhere (HTTP 301); the bucket is in region eu-west-3 (AWS_REGION)"* ]]
}

@test "the key of a machine comes from its metadata service, version 2" {
	echo '{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s3cret","Token":"t0ken","Expiration":"2099-01-01T00:00:00Z"}' >role
	serve machine <<-END
		api/token | 200 | text=session
		my-role | 200 | body=role
		security-credentials/ | 200 | text=my-role
	END
	export AWS_EC2_METADATA_SERVICE_ENDPOINT=$url AWS_EC2_METADATA_DISABLED=
	s3_of <<<'list-type | 200 | body=empty'
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run -4 fl-fetch store -v s3://bkt/x
	[[ $output == *"key of the machine's metadata service"*'there is nothing'* ]]
	[[ $output != *s3cret* && $output != *t0ken* ]]
	[ "$(cut -d ' ' -f 2,3 machine.log.full)" = 'PUT /latest/api/token
GET /latest/meta-data/iam/security-credentials/
GET /latest/meta-data/iam/security-credentials/my-role' ]
}

@test "the key of a role comes for a token in a file" {
	serve sts <<-END
		/ | 200 | text=<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey><SessionToken>t0ken</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
	END
	export AWS_ENDPOINT_URL_STS=$url AWS_ROLE_ARN=arn:aws:iam::1:role/r
	export AWS_WEB_IDENTITY_TOKEN_FILE=$PWD/token
	s3_of <<<'list-type | 200 | body=empty'
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run -5 fl-fetch store s3://bkt/x
	[[ $output == *"cannot read '$PWD/token', the token of the role"* ]]
	echo 'eyJ+/=' >token
	run -4 fl-fetch store -v s3://bkt/x
	[[ $output == *"key of role 'arn:aws:iam::1:role/r'"*'there is nothing'* ]]
	[[ $output != *s3cret* && $output != *t0ken* && $output != *eyJ* ]]
	grep -q 'Action=AssumeRoleWithWebIdentity.*RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr.*WebIdentityToken=eyJ%2B%2F%3D' sts.log.full
	serve refusing <<<'/ | 403 | text=<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>The token is old</Message></Error></ErrorResponse>'
	export AWS_ENDPOINT_URL_STS=$url
	run -4 fl-fetch store s3://bkt/x
	[[ $output == *"cannot get the key of role 'arn:aws:iam::1:role/r': HTTP 403: The token is old"* ]]
}

@test "at Amazon the bucket is in the host's name, or in the path when it has a dot" {
	export https_proxy=http://127.0.0.1:1 # nobody is asked
	run -3 fl-fetch store -v s3://my-bucket/x
	[[ $output == *'GET https://my-bucket.s3.us-east-1.amazonaws.com/?delimiter='* ]]
	AWS_REGION=cn-north-1 run -3 fl-fetch store -v s3://my.bucket/x
	[[ $output == *'GET https://s3.cn-north-1.amazonaws.com.cn/my.bucket?delimiter='* ]]
	AWS_ENDPOINT_URL=https://s3.example.org/gate/ run -3 fl-fetch store -v s3://my-bucket/x
	[[ $output == *'GET https://s3.example.org/gate/my-bucket?delimiter='* ]]
}
