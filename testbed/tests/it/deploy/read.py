"""Reads files of deploy/ with what knows their formats, and prints what they hold as JSON.

read.py kubernetes VERSIONS FILE...          objects; the schemas of each of these versions of Kubernetes must allow them, if any are named
read.py helm VERSIONS CHART VALUES...        a list of such objects for each of these values (JSON), or the text of why there are none
read.py compose FILE                         a file that the compose schema allows

It ends with 1 and a line on standard error for each thing that is wrong.
"""

import importlib.util
import json
import pathlib
import sys

import jsonschema
import yaml


class Wrong(Exception):
    """A line for each thing that is wrong."""


class Strict(yaml.CSafeLoader):
    """Refuses a key that stands twice, of which YAML readers otherwise take the last."""

    def construct_mapping(self, node, deep=False):
        # `<<` brings keys that others may replace.
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for key in {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def objects(text, place):
    try:
        return [document for document in yaml.load_all(text, Strict) if document is not None]
    except yaml.YAMLError as error:
        raise Wrong(f"{place}: {error}") from error


def place_in(error):
    return ".".join(str(part) for part in error.path)


def check_kubernetes(manifests, versions, place):
    import kubernetes_validate

    wrong = []
    for version in filter(None, versions.split(",")):
        for manifest in manifests:
            name = f"{place}: {manifest['kind']} {manifest['metadata']['name']}, Kubernetes {version}"
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                wrong.append(f"{name}: {place_in(error)}: {error.message}")
    if wrong:
        raise Wrong("\n".join(wrong))
    return manifests


def kubernetes(versions, *files):
    found, wrong = [], []
    for file in files:
        try:
            found += check_kubernetes(objects(pathlib.Path(file).read_text(), file), versions, file)
        except Wrong as error:
            wrong.append(str(error))
    if wrong:
        raise Wrong("\n".join(wrong))
    return found


def helm(versions, path, *all_values):
    import helm_python

    findings = helm_python.lint(path)
    # 1 is advice.
    worse = [finding for finding in findings["messages"] if finding["severity"] > 1] + findings["errors"]
    if worse:
        raise Wrong(f"helm lint: {worse}")
    with helm_python.Chart.load(path) as chart:
        return [rendered(helm_python, chart, json.loads(values), versions) for values in all_values]


def rendered(helm_python, chart, values, versions):
    try:
        chart.validate_schema(values)
        texts = chart.render(values, name="netqoe", namespace="netqoe")
    except helm_python.HelmError as error:
        return str(error)
    manifests = {template: text for template, text in texts.items() if not template.endswith(".txt")}
    return [
        manifest
        for template, text in manifests.items()
        for manifest in check_kubernetes(objects(text, template), versions, template)
    ]


def compose(file):
    # Not imported: only the schema is needed, and not what the package itself needs.
    package = pathlib.Path(importlib.util.find_spec("check_jsonschema").origin).parent
    schema = json.loads((package / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    [found] = objects(pathlib.Path(file).read_text(), file)
    errors = jsonschema.validators.validator_for(schema)(schema).iter_errors(found)
    wrong = [f"{file}: {place_in(error)}: {error.message}" for error in errors]
    if wrong:
        raise Wrong("\n".join(wrong))
    return found


KINDS = {"kubernetes": kubernetes, "helm": helm, "compose": compose}
try:
    print(json.dumps(KINDS[sys.argv[1]](*sys.argv[2:])))
except Wrong as wrong:
    sys.exit(str(wrong))
