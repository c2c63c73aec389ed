"""The workloads in DuckDB: by_duckdb.py clean|distinct|bars|csv FILE [THREADS]"""

import sys

import duckdb

TICKS = ("read_json('{file}', format='newline_delimited', ignore_errors=true, columns={{type:'VARCHAR',"
         "provider:'VARCHAR',symbol:'VARCHAR',ts:'VARCHAR',price:'DOUBLE',size:'BIGINT',currency:'VARCHAR',"
         "exchange:'VARCHAR'}})")
QUERIES = {
    "clean": f"select * from {TICKS} where symbol is not null and price > 0",
    "distinct": f"select distinct * from {TICKS} where symbol is not null and price > 0",
    # The minute is cut out of the text, which is quicker than reading times.
    "bars": f"""select symbol, substring(ts, 1, 16) as minute, first(price) as open, max(price) as high,
        min(price) as low, last(price) as close, sum(size)::bigint as volume, count(*) as trades
        from {TICKS} group by all""",
    "csv": """select Date as date, Symbol as symbol, Open as open, High as high, Low as low, Close as close,
        "Adj Close" as adj_close, Volume as volume from read_csv('{file}')""",
}

what, file = sys.argv[1:3]
con = duckdb.connect()
if len(sys.argv) > 3:
    con.sql(f"set threads = {int(sys.argv[3])}")
con.sql(f"copy ({QUERIES[what].format(file=file)}) to '/dev/stdout' (format json)")
