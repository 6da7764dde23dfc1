#!/usr/bin/env python3
"""usage: schema.py SCHEMA good|bad FILE...: every file is valid, or none, by a public validator."""
import json, sys, warnings

import jsonschema, yaml


class Loader(yaml.SafeLoader):
    """Dates stay text: JSON has none."""


Loader.yaml_implicit_resolvers = {k: [(tag, r) for tag, r in v if tag != 'tag:yaml.org,2002:timestamp']
                                  for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def plain(v):
    """Keys as text, as JSON has them."""
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    return [plain(x) for x in v] if isinstance(v, list) else v


def main():
    with open(sys.argv[1]) as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator, good, wrong = jsonschema.Draft202012Validator(schema), sys.argv[2] == 'good', 0
    for path in sys.argv[3:]:
        with open(path, encoding='utf-8') as f:
            error = next(validator.iter_errors(plain(yaml.load(f, Loader))), None)
        if (error is None) != good:
            wrong += 1
            print('%s: %s' % (path, error.message + ' at ' + error.json_path if error else 'is accepted'))
    sys.exit(1 if wrong else 0)


main()
