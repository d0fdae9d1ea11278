"""What `deploy/kubernetes` renders to, for the checks and tests that read it.

    manifests.py facts OVERLAY           what a test of rolling updates goes by, as JSON
    manifests.py write OVERLAY FOLDER    the worker's container as files in FOLDER; prints its configuration's path and
                                         its environment as JSON
"""
import json
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())


def render(folder):
    """The objects of a kustomization."""
    result = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{folder.relative_to(ROOT)} does not render: {result.stderr.strip()}")
    return [item for item in yaml.safe_load_all(result.stdout) if item]


def overlay(name):
    return Objects(render(KUBERNETES / "overlays" / name), examples())


def examples():
    return list(yaml.safe_load_all((KUBERNETES / "secrets.example.yaml").read_text()))


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", duration).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


class Objects:
    """The objects of an overlay, with those that whoever applies it brings along, as seen by one Deployment of them."""

    def __init__(self, rendered, brought, name="consent-worker"):
        self.rendered = rendered
        self.brought = brought
        self.all = rendered + brought
        self.deployment = self.named("Deployment", name)

    def seen_by(self, name):
        return Objects(self.rendered, self.brought, name)

    def of_kind(self, kind):
        return [item for item in self.rendered if item["kind"] == kind]

    def the(self, kind):
        (item,) = self.of_kind(kind)
        return item

    def named(self, kind, name):
        return next((item for item in self.all if item["kind"] == kind and item["metadata"]["name"] == name), None)

    def content(self, kind, name):
        """A Secret's or ConfigMap's files; None where there is no such object."""
        item = self.named(kind, name)
        return item and {**item.get("data", {}), **item.get("stringData", {})}

    @property
    def pod(self):
        return self.deployment["spec"]["template"]["spec"]

    @property
    def container(self):
        (container,) = self.pod["containers"]
        return container

    @property
    def configuration(self):
        return yaml.safe_load(self.configuration_text)

    @property
    def configuration_text(self):
        return self.files("configuration")["consent-worker.yaml"]

    def files(self, volume):
        """What a volume of the pod holds at first; None if it is of an object that nobody makes."""
        (source,) = [item for item in self.pod["volumes"] if item["name"] == volume]
        if "configMap" in source:
            return self.content("ConfigMap", source["configMap"]["name"])
        if "secret" in source:
            return self.content("Secret", source["secret"]["secretName"])
        return {}

    @property
    def environment(self):
        """The worker's variables, by the Secrets that they are of."""
        values = {}
        for variable in self.container["env"]:
            source = variable["valueFrom"]["secretKeyRef"]
            values[variable["name"]] = (self.content("Secret", source["name"]) or {}).get(source["key"])
        return values


def write(objects, folder):
    """Lays the pod's volumes out as its containers have them, and seeds the refresh tokens as the init container."""
    def moved(text):
        return re.sub(r"(?<![\w/.])/(?=(etc|run|var)/)", f"{folder}/", text)

    for container in objects.pod["initContainers"] + [objects.container]:
        for mount in container["volumeMounts"]:
            path = folder / mount["mountPath"].lstrip("/")
            path.mkdir(parents=True, exist_ok=True)
            for name, content in objects.files(mount["name"]).items():
                file = path / name
                file.write_text(moved(content))
                file.chmod(0o600)
    (init,) = objects.pod["initContainers"]
    subprocess.run([moved(word) for word in init["command"]], check=True, stdout=subprocess.DEVNULL)
    configuration = objects.container["args"][objects.container["args"].index("--config") + 1]
    return {"configuration": moved(configuration), "environment": objects.environment}


def facts(objects):
    return {
        "replicas": objects.deployment["spec"]["replicas"],
        "terminationGracePeriodSeconds": objects.pod["terminationGracePeriodSeconds"],
        "shutdownGrace": objects.configuration["shutdown"]["grace"],
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["facts", name]:
            print(json.dumps(facts(overlay(name))))
        case ["write", name, folder]:
            print(json.dumps(write(overlay(name), pathlib.Path(folder))))
        case _:
            sys.exit(__doc__)
