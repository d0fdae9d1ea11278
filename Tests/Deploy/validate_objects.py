"""Holds every object of `deploy/kubernetes` against what is published of its kind: Kubernetes' own schemas of several
versions, and models made from the custom resource definitions of KEDA and cert-manager."""
import functools
import importlib
import sys

import kubernetes_validate

from manifests import KUBERNETES, OVERLAYS, examples, render

MODELS = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "cert-manager.io/v1": "cloudcoil.models.cert_manager.v1",
}
# Of the first there are no models; those of the others take longer to load than all the rest of this check. What is in
# them is checked by `check_manifests.py`, rules by promtool.
LEFT_OUT = {
    ("rabbitmq.com/v1beta1", "RabbitmqCluster"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
}

# Megabytes, read for each object otherwise.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


@functools.cache
def versions():
    """The oldest and the newest that there are schemas for."""
    known = kubernetes_validate.utils.all_versions()
    return known[0], known[-1]


def lost(given, read, path=""):
    """The members of an object that a model did not take over: those that it does not know."""
    if isinstance(given, dict):
        for key, value in given.items():
            if key in read:
                yield from lost(value, read[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is unknown"
    elif isinstance(given, list):
        for index, (left, right) in enumerate(zip(given, read)):
            yield from lost(left, right, f"{path}[{index}]")


def faults(item):
    kind = (item["apiVersion"], item["kind"])
    if kind in LEFT_OUT:
        return
    if item["apiVersion"] in MODELS:
        model = getattr(importlib.import_module(MODELS[item["apiVersion"]]), item["kind"])
        try:
            read = model.model_validate(item)
        except ValueError as error:
            yield str(error)
        else:
            yield from lost(item, read.model_dump(mode="json", by_alias=True, exclude_unset=True))
        return
    for version in versions():
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield error.message


def main():
    found = False
    folders = [KUBERNETES / "overlays" / name for name in OVERLAYS] + [KUBERNETES / "rabbitmq"]
    for name, items in [(folder.name, render(folder)) for folder in folders] + [("secrets.example", examples())]:
        for item in items:
            for fault in faults(item):
                found = True
                print(f"{name}: {item['kind']} {item['metadata']['name']}: {fault}")
    sys.exit(1 if found else 0)


main()
