"""Checks that what `deploy/kubernetes` says in several places agrees, and agrees with `deploy/monitoring`,
`deploy/rabbitmq` and the operations guide."""
import ipaddress
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import yaml

from manifests import KUBERNETES, OVERLAYS, ROOT, overlay, render, seconds

ALERTS = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())


def agreeing(what, left, right):
    if left != right:
        yield f"{what}: {left!r} and {right!r}"


def grace(objects):
    given, needed = objects.pod["terminationGracePeriodSeconds"], objects.configuration["shutdown"]["grace"]
    # Beyond the grace, commands go back and applications are handed over.
    if given < seconds(needed) + 10:
        yield f"terminationGracePeriodSeconds {given} is not 10 s longer than shutdown.grace {needed}"


def ports(objects):
    host, port = objects.configuration["admin"]["listen"].rsplit(":", 1)
    if ipaddress.ip_address(host.strip("[]")).is_loopback:
        yield f"admin.listen {host} is not reached by probes"
    container = objects.container
    declared = {item["name"]: item["containerPort"] for item in container["ports"]}
    yield from agreeing("admin.listen and the container's port", int(port), declared.get("admin"))
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        request = container[probe]["httpGet"]
        yield from agreeing(f"{probe}", (request["path"], request["port"]), (path, "admin"))
    (service,) = objects.the("Service")["spec"]["ports"]
    yield from agreeing("the Service's port", (service["port"], service["targetPort"]), (int(port), "admin"))
    (rule,) = objects.the("NetworkPolicy")["spec"]["ingress"]
    yield from agreeing("the NetworkPolicy's ingress", [item["port"] for item in rule["ports"]], [int(port)])
    for monitor in objects.of_kind("ServiceMonitor"):
        yield from agreeing("ServiceMonitor's members", set(monitor["spec"]), {"jobLabel", "selector", "endpoints"})
        (endpoint,) = monitor["spec"]["endpoints"]
        yield from agreeing("ServiceMonitor", (endpoint["port"], endpoint["path"]), (service["name"], "/metrics"))


def image(objects):
    containers = objects.pod["initContainers"] + objects.pod["containers"]
    images = {item["image"] for item in containers}
    if len(images) != 1 or not re.fullmatch(r"[^:]+/consent-worker:[\w.-]+", *images):
        yield f"not one tagged image of consent-worker: {sorted(images)}"


def selectors(objects):
    deployment = objects.deployment
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    chosen = {
        "Deployment": deployment["spec"]["selector"]["matchLabels"],
        "Service": objects.the("Service")["spec"]["selector"],
        "PodDisruptionBudget": objects.the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    }
    for number, constraint in enumerate(objects.pod["topologySpreadConstraints"]):
        chosen[f"topologySpreadConstraints {number}"] = constraint["labelSelector"]["matchLabels"]
    for what, selector in chosen.items():
        yield from agreeing(f"{what} selects other pods than the workers", selector, labels)
    (term,) = objects.the("NetworkPolicy")["spec"]["podSelector"]["matchExpressions"]
    pods = [item["spec"]["template"]["metadata"]["labels"][term["key"]] for item in objects.of_kind("Deployment")]
    yield from agreeing("NetworkPolicy's pods", sorted(term["values"]), sorted(pods))
    service = objects.the("Service")["metadata"]["labels"]
    for monitor in objects.of_kind("ServiceMonitor"):
        yield from agreeing("ServiceMonitor selects", monitor["spec"]["selector"]["matchLabels"], service)
        jobs = set(re.findall(r'job="([^"]*)"', json.dumps(ALERTS).replace('\\"', '"')))
        yield from agreeing("job of the alerts", jobs, {service.get(monitor["spec"]["jobLabel"])})


def references(objects):
    for volume in objects.pod["volumes"]:
        if objects.files(volume["name"]) is None:
            yield f"nobody makes what the volume {volume['name']} is of"
        claim = volume.get("persistentVolumeClaim")
        if claim and not objects.named("PersistentVolumeClaim", claim["claimName"]):
            yield f"nobody makes the claim {claim['claimName']}"
    for name, value in objects.environment.items():
        if value is None:
            yield f"nobody gives {name} a value"


def mount_of(objects, path):
    mounted = (item for item in objects.container["volumeMounts"] if path.startswith(item["mountPath"] + "/"))
    return next(mounted, None)


def mounts(objects):
    """What the configuration names is where the container has it."""
    configuration = objects.configuration
    files = list(configuration["amqp"]["tls"].values())
    for application in configuration["applications"]:
        files += [value for key, value in application.items() if key.endswith("File")]
        if not mount_of(objects, application["refreshTokens"]):
            yield f"the container has no {application['refreshTokens']}"
    for path in files:
        mount = mount_of(objects, path)
        if not mount or pathlib.Path(path).name not in (objects.files(mount["name"]) or {}):
            yield f"the container has no {path}"


def tokens(objects):
    """What the workers write is kept."""
    for application in objects.configuration["applications"]:
        mount = mount_of(objects, application["refreshTokens"])
        volume = next((item for item in objects.pod["volumes"] if mount and item["name"] == mount["name"]), {})
        if "persistentVolumeClaim" not in volume or mount.get("readOnly"):
            yield f"{application['refreshTokens']} is on no volume that keeps what is written"
    modes = objects.the("PersistentVolumeClaim")["spec"]["accessModes"]
    is_shared = objects.deployment["spec"].get("replicas") != 1
    yield from agreeing("access modes", modes, ["ReadWriteMany" if is_shared else "ReadWriteOnce"])


def security(objects):
    pod = objects.pod
    for key in ("automountServiceAccountToken", "enableServiceLinks"):
        yield from agreeing(key, pod.get(key), False)
    yield from agreeing("runAsNonRoot", pod["securityContext"].get("runAsNonRoot"), True)
    yield from agreeing("seccompProfile", pod["securityContext"].get("seccompProfile"), {"type": "RuntimeDefault"})
    for container in pod["initContainers"] + pod["containers"]:
        context = {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }
        yield from agreeing(f"securityContext of {container['name']}", container.get("securityContext"), context)


def memory(objects):
    (alert,) = [rule for rule in rules() if rule["alert"] == "ConsentMemoryHigh"]
    threshold = float(alert["expr"].split(">")[1])
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", objects.container["resources"]["limits"]["memory"]).groups()
    if int(number) * {"Mi": 2**20, "Gi": 2**30}[unit] <= threshold:
        yield f"the memory limit {number}{unit} ends a worker before ConsentMemoryHigh warns at {threshold:.0f}"


def scaling(objects):
    for scaled in objects.of_kind("ScaledObject"):
        spec, deployment = scaled["spec"], objects.deployment
        yield from agreeing("scaleTargetRef", spec["scaleTargetRef"]["name"], deployment["metadata"]["name"])
        if "replicas" in deployment["spec"]:
            yield "the Deployment and the ScaledObject both say how many replicas there are"
        most = max(spec["minReplicaCount"], len(objects.configuration["applications"]))
        yield from agreeing("maxReplicaCount and what the applications need", spec["maxReplicaCount"], most)
        for trigger in spec["triggers"]:
            yield from query(trigger["metadata"]["query"])


def query(expression):
    yield from promtool({"groups": [{"name": "query", "rules": [{"record": "query", "expr": expression}]}]})


def promtool(groups):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(groups, file)
        file.flush()
        result = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
    if result.returncode:
        yield f"promtool: {result.stderr}"


def broker(objects):
    """The workers' way to the broker, through the NetworkPolicy, to the certificate's name."""
    url = urllib.parse.urlsplit(objects.environment["CONSENT_AMQP_URL"])
    example = render(KUBERNETES / "rabbitmq")
    cluster, certificate = (next(o for o in example if o["kind"] == k) for k in ("RabbitmqCluster", "Certificate"))
    name, namespace = cluster["metadata"]["name"], cluster["metadata"]["namespace"]
    yield from agreeing("the broker's address", (url.scheme, url.hostname), ("amqps", f"{name}.{namespace}.svc"))
    allowed = [
        (peer["namespaceSelector"]["matchLabels"], peer["podSelector"]["matchLabels"], port["port"])
        for rule in objects.the("NetworkPolicy")["spec"]["egress"]
        for peer in rule["to"] if "podSelector" in peer for port in rule["ports"]
    ]
    needed = ({"kubernetes.io/metadata.name": namespace}, {"app.kubernetes.io/name": name}, url.port)
    yield from agreeing("the NetworkPolicy's way to the broker", allowed, [needed])
    if url.hostname not in certificate["spec"]["dnsNames"]:
        yield f"the broker's certificate is not for {url.hostname}"
    yield from agreeing("TLS secret", cluster["spec"]["tls"]["secretName"], certificate["spec"]["secretName"])
    if "cluster_partition_handling = pause_minority" not in cluster["spec"]["rabbitmq"]["additionalConfig"]:
        yield "the broker does not pause the minority"
    if cluster["spec"]["replicas"] % 2 == 0:
        yield "a broker of an even number of nodes has no majority when it is halved"


def users(objects):
    """Who logs in, and where."""
    name = objects.deployment["metadata"]["name"]
    url = urllib.parse.urlsplit(objects.environment["CONSENT_AMQP_URL"])
    yield from agreeing(f"the broker user of {name}", url.username, name)
    known = json.loads((ROOT / "deploy/rabbitmq/users.json").read_text())["users"]
    if url.username not in [user["name"] for user in known]:
        yield f"deploy/rabbitmq has no user {url.username}"
    worker = urllib.parse.urlsplit(objects.seen_by("consent-worker").environment["CONSENT_AMQP_URL"])
    yield from agreeing("brokers", (url.hostname, url.port), (worker.hostname, worker.port))


def rules():
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def alerts():
    printed = subprocess.run([str(KUBERNETES / "prometheus-rule")], capture_output=True, text=True, check=True).stdout
    if printed != (KUBERNETES / "monitoring/prometheus-rule.yaml").read_text():
        yield "monitoring/prometheus-rule.yaml is not what prometheus-rule prints; its head says how to make it anew"
    rule = yaml.safe_load(printed)
    yield from agreeing("PrometheusRule", rule["spec"], ALERTS)
    yield from promtool(rule["spec"])
    headings = re.findall(r"^### (Consent\w+)$", (ROOT / "deploy/README.md").read_text(), re.M)
    named = sorted(rule["alert"] for rule in rules())
    yield from agreeing("runbooks in deploy/README.md and alerts", sorted(headings), named)


def seeding():
    """Tokens get to the volume once: what the worker has replaced stays."""
    with tempfile.TemporaryDirectory() as folder:
        places = {name: pathlib.Path(folder, name) for name in ("applications", "seeds", "tokens")}
        for place in places.values():
            place.mkdir()
        application, other = ("00000000-0000-4000-8000-%012d" % number for number in (1, 2))
        for name in (application, other):
            (places["applications"] / f"{name}.client-secret").touch()

        def seed(partner, token):
            (places["seeds"] / f"{application}.{partner}").write_text(token)
            script = KUBERNETES / "base/seed-refresh-tokens"
            subprocess.run(["sh", script, *places.values()], check=True, stdout=subprocess.DEVNULL)
            return {file.name: file.read_text() for file in (places["tokens"] / application).iterdir()}

        yield from agreeing("a seed", seed("a", "first"), {"a": "first"})
        yield from agreeing("a seed for a partner with a token", seed("a", "second"), {"a": "first"})
        yield from agreeing("a further partner's seed", seed("b", "third"), {"a": "first", "b": "third"})
        modes = {file.stat().st_mode & 0o777 for file in (places["tokens"] / application).iterdir()}
        yield from agreeing("mode of the tokens", modes, {0o600})
        if not (places["tokens"] / other).is_dir():
            yield "an application without seeds has no folder"


def main():
    faults = [f"alerts: {fault}" for fault in alerts()] + [f"seeding: {fault}" for fault in seeding()]
    every = (image, references, mounts, security, users)
    workers = (grace, ports, selectors, tokens, memory, scaling, broker)
    images = set()
    for name in OVERLAYS:
        objects = overlay(name)
        for deployment, checks in (("consent-worker", every + workers), ("consent-operator", every)):
            view = objects.seen_by(deployment)
            images.add(view.container["image"])
            for check in checks:
                faults += [f"{name}: {deployment}: {check.__name__}: {fault}" for fault in check(view)]
    faults += agreeing("images", len(images), 1)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
