"""Reads the queries of the dashboard and the alerts.

  queries.py --rules                  the dashboard's queries as recording rules, for promtool to parse
  queries.py --every-alert-is-tested  fails if an alert is in no test of alerts.test.yaml
  queries.py --names SCRAPE           fails if a query names a metric or a label that the scrape does not have
"""
import json
import pathlib
import re
import sys

import yaml

folder = pathlib.Path(__file__).resolve().parents[2] / "deploy/monitoring"
dashboard = json.loads((folder / "dashboard.json").read_text())
alerts = [rule for group in yaml.safe_load((folder / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]

# What may stand in a query besides metrics and labels.
WORDS = {
    "absent", "and", "by", "count", "group_left", "group_right", "histogram_quantile", "ignoring", "increase",
    "label_replace", "max", "min", "on", "or", "rate", "sum", "time", "unless", "without",
}
# Known to Prometheus without our doing.
FOREIGN = {"up": {"job", "instance"}}
TARGET_LABELS = {"job", "instance"}


def panel_queries():
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if isinstance(variable.get("query"), dict):
            inner = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
            yield variable["name"], f"count by ({inner[2]}) ({inner[1]})"


def all_queries():
    yield from panel_queries()
    for alert in alerts:
        yield alert["alert"], alert["expr"]


def rules():
    records = [
        {"record": f"dashboard:query:{number}", "expr": query.replace("$application", ".*")}
        for number, (_, query) in enumerate(panel_queries())
    ]
    print(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}))


def every_alert_is_tested():
    tests = (folder / "alerts.test.yaml").read_text()
    patterns = re.findall(r"Consent\([^)]*\)", tests)
    return [
        f"{alert['alert']} is in no test"
        for alert in alerts
        if f'"{alert["alert"]}"' not in tests and not any(re.fullmatch(p, alert["alert"]) for p in patterns)
    ]


def scraped(text):
    """The labels of each name that can be queried; None where there was no sample."""
    names = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            names[name + suffix] = None
    for name, labels in re.findall(r"^([a-z_0-9]+)(?:\{(.*)\})? \S+$", text, re.M):
        names[name] = (names.get(name) or set()) | set(re.findall(r'(\w+)="', labels))
    return names


def unknown_names(text):
    known = scraped(text)
    for title, query in all_queries():
        labels = set()
        grouping = re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", query)
        labels.update(word for group in grouping for word in re.findall(r"\w+", group))
        labels.update(word for part in re.findall(r"\{([^}]*)\}", query) for word in re.findall(r"(\w+)\s*[=!]", part))
        # label_replace makes a label of its own.
        labels.difference_update(re.findall(r'label_replace\(.*?, "(\w+)"', query))
        rest = re.sub(r'"[^"]*"', "", query)
        rest = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|ignoring|without)\s*\([^)]*\)", " ", rest)
        metrics = set(re.findall(r"\b[a-zA-Z_]\w*", rest)) - WORDS - set(re.findall(r"\b\d[\w.]*", rest))
        for metric in sorted(metrics):
            if metric not in known and metric not in FOREIGN:
                yield f"{title}: there is no metric {metric}"
        has = [known[metric] for metric in metrics if metric in known]
        if has and None not in has:
            for label in sorted(labels - TARGET_LABELS - set().union(*has)):
                yield f"{title}: none of {', '.join(sorted(metrics))} has the label {label}"


def main(mode, *arguments):
    if mode == "--rules":
        return rules()
    if mode == "--every-alert-is-tested":
        faults = every_alert_is_tested()
    elif mode == "--names":
        faults = list(unknown_names(pathlib.Path(arguments[0]).read_text()))
    else:
        sys.exit(__doc__)
    print(*faults, sep="\n")
    sys.exit(1 if faults else 0)


main(*sys.argv[1:])
