"""Checks what the schema of compose files cannot know: that all that deploy/compose.yaml names is there.

Usage: compose.py DEPLOY
"""
import json
import pathlib
import re
import sys

import yaml

deploy = pathlib.Path(sys.argv[1])
compose = yaml.safe_load((deploy / "compose.yaml").read_text())
stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (deploy / "Dockerfile").read_text(), re.MULTILINE))
services = compose["services"]
faults = []
volumes_used = set()

for name, service in services.items():
    def fault(text):
        faults.append(f"{name}: {text}")

    for port in service.get("ports", []):
        if not port.startswith("127.0.0.1:"):
            fault(f"publishes {port} beyond this machine")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            if not (deploy / source).is_file():
                fault(f"mounts {source}, which is not there")
        else:
            volumes_used.add(source)
    for other, condition in service.get("depends_on", {}).items():
        if other not in services:
            fault(f"depends on {other}, which is no service")
        elif condition["condition"] == "service_healthy" and "healthcheck" not in services[other]:
            target = services[other].get("build", {}).get("target")
            text = (deploy / "Dockerfile").read_text()
            stage = re.search(rf"^FROM \S+ AS {target}$(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL)
            if not stage or "HEALTHCHECK" not in stage[1]:
                fault(f"waits for the health of {other}, which has no health check")
    if "build" in service:
        if service["build"]["target"] not in stages:
            fault(f"builds {service['build']['target']}, which is no stage of the Dockerfile")
    elif not re.search(r":[^:/]*\d", service["image"]):
        fault(f"takes {service['image']}, of no certain version")

if volumes_used != set(compose["volumes"]):
    faults.append(f"volumes: {sorted(volumes_used ^ set(compose['volumes']))} are not both declared and used")

# What is scraped and shown goes by names.
scrape = yaml.safe_load((deploy / "compose/prometheus.yaml").read_text())["scrape_configs"]
alerts = (deploy / "monitoring/alerts.yaml").read_text()
jobs = {job["job_name"] for job in scrape}
if not set(re.findall(r'job="([^"]+)"', alerts)) <= jobs:
    faults.append("prometheus.yaml: lacks a job that alerts.yaml names")
for job in scrape:
    targets = [target for part in job.get("static_configs", []) for target in part["targets"]]
    targets += [host for part in job.get("dns_sd_configs", []) for host in part["names"]]
    for target in targets:
        if target.split(":")[0] not in services:
            faults.append(f"prometheus.yaml: scrapes {target}, which is no service")
for source in yaml.safe_load((deploy / "compose/grafana-datasources.yaml").read_text())["datasources"]:
    if re.match(r"http://([^:/]+)", source["url"])[1] not in services:
        faults.append(f"grafana-datasources.yaml: {source['url']} is no service")
path = yaml.safe_load((deploy / "compose/grafana-dashboards.yaml").read_text())["providers"][0]["options"]["path"]
mounted = [volume.split(":") for volume in services["grafana"]["volumes"]]
dashboards = [source for source, target, *_ in mounted if target.startswith(f"{path}/")]
if not dashboards or not all("panels" in json.loads((deploy / source).read_text()) for source in dashboards):
    faults.append(f"grafana: no dashboard is mounted below {path}")

for text in faults:
    print(text)
sys.exit(1 if faults else 0)
