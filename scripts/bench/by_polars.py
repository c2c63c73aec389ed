"""The workloads in Polars: by_polars.py clean|distinct|bars|csv FILE

The ticks must have no broken line: Polars stops at the first."""

import sys

import polars as pl

what, file = sys.argv[1:3]
if what == "csv":
    frame = pl.scan_csv(file).rename(lambda name: name.lower().replace(" ", "_"))
else:
    frame = pl.scan_ndjson(file).filter(pl.col("symbol").is_not_null() & (pl.col("price") > 0))
if what == "distinct":
    frame = frame.unique()
elif what == "bars":
    frame = frame.group_by("symbol", pl.col("ts").str.slice(0, 16).alias("minute")).agg(
        pl.col("price").first().alias("open"),
        pl.col("price").max().alias("high"),
        pl.col("price").min().alias("low"),
        pl.col("price").last().alias("close"),
        pl.col("size").sum().alias("volume"),
        pl.len().alias("trades"))
frame.sink_ndjson("/dev/stdout")
