# Reads a page of /metrics with Prometheus' own parser, and tells what it found: family, type and samples, one line each.
# Run with the URL. Fails where the parser does, or where it makes families that the page does not name.
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

with urllib.request.urlopen(sys.argv[1]) as response:
    kind = response.headers["content-type"]
    page = response.read().decode("utf-8")
if kind != "text/plain; version=0.0.4; charset=utf-8":
    sys.exit(f"content type {kind}")

named = {line.split(" ")[2] for line in page.splitlines() if line.startswith("# TYPE ")}
found = set()
for family in text_string_to_metric_families(page):
    # The parser takes _total off the name of a counter.
    name = family.name + "_total" if family.type == "counter" else family.name
    if name not in named:
        sys.exit(f"{name} ({family.type}) has no TYPE line")
    if not family.documentation:
        sys.exit(f"{name} has no HELP line")
    if not family.samples:
        sys.exit(f"{name} has no samples")
    found.add(name)
    print(name, family.type, sum(sample.value for sample in family.samples if not sample.name.endswith("_bucket")))
if found != named:
    sys.exit(f"not read: {named - found}")
