#!/usr/bin/env python3
"""foreign_lake: what others find in a lake, by their own NDJSON readers.

usage: foreign_lake.py duckdb|spark LAKE/ TYPE [COLUMN...] < records

The lake's objects of TYPE are read with hive partitioning and compared with the
records on standard input: the count of each partition, the sum of each column
to the last digit, the least and the greatest time. Prints "N records in D
partitions" and ends with 1 at the first difference.
"""
import json
import sys
from collections import defaultdict
from decimal import Decimal


def wanted(lines, columns):
    """partition → (count, sums, first ts, last ts)"""
    found = defaultdict(lambda: [0, [Decimal(0)] * len(columns), None, None])
    for line in lines:
        record = json.loads(line, parse_float=Decimal, parse_int=Decimal)
        part = found[record["ts"][:10]]
        part[0] += 1
        part[1] = [total + record.get(column, 0)
                   for total, column in zip(part[1], columns)]
        part[2] = min(part[2] or record["ts"], record["ts"])
        part[3] = max(part[3] or record["ts"], record["ts"])
    return dict(found)


def by_partition(rows):
    """Of rows of (partition, count, first ts, last ts, sums...)."""
    return {row[0]: [row[1], [value or Decimal(0) for value in row[4:]], row[2],
                     row[3]] for row in rows}


def duckdb(lake, kind, columns):
    """Also the count that it gives as one would type it, types found out by
    itself."""
    import duckdb as engine

    sums = "".join(f", sum({column}::DECIMAL(38,9))" for column in columns)
    # Numbers as text: a double would lose what a sum is to show.
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in ["ts", *columns])
    files = f"'{lake}{kind}/*/*.ndjson.zst', hive_partitioning = true"
    rows = engine.sql(f"""
        SELECT dt::VARCHAR, count(*), min(ts), max(ts){sums}
        FROM read_ndjson({files}, columns = {{{types}}})
        GROUP BY 1""").fetchall()
    count = engine.sql(f"SELECT count(*) FROM read_ndjson({files})").fetchall()
    return by_partition(rows), count[0][0]


def spark(lake, kind, columns):
    """The same by Spark."""
    from pyspark.sql import SparkSession, functions as F

    session = SparkSession.builder.master("local[2]")
    for key, value in {"spark.ui.enabled": "false", "spark.driver.memory": "512m",
                       "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                       "spark.sql.shuffle.partitions": "2"}.items():
        session = session.config(key, value)
    session = session.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    schema = ", ".join(["ts STRING", *(f"{column} DECIMAL(28,9)" for column in columns)])
    lines = session.read.schema(schema).json(f"{lake}{kind}")
    found = lines.groupBy(F.col("dt").cast("string")).agg(
        F.count("*"), F.min("ts"), F.max("ts"), *(F.sum(column) for column in columns))
    rows = by_partition(tuple(row) for row in found.collect())
    count = session.read.json(f"{lake}{kind}").count()
    session.stop()
    return rows, count


def main():
    engine, lake, kind, *columns = sys.argv[1:]
    want = wanted(sys.stdin, columns)
    got, count = {"duckdb": duckdb, "spark": spark}[engine](lake, kind, columns)
    for part in sorted(want.keys() | got.keys()):
        if want.get(part) != got.get(part):
            sys.exit(f"dt={part}: wanted {want.get(part)}, got {got.get(part)}")
    if count != sum(part[0] for part in want.values()):
        sys.exit(f"read without being told the types, there are {count} records")
    print(f"{count} records in {len(want)} partitions")


main()
