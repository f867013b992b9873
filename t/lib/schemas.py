# Checks responses by the schemas of OpenAPI documents.  Reads a JSON array of
# {"document": FILE, "path", "method", "status", "type" (of media), "body" (text)}
# and prints an array of what is wrong with each, "" if nothing is.  With a
# member that no schema has an object is wrong, unless it has no schema at all.

import copy
import json
import re
import sys

from jsonschema import Draft202012Validator, FormatChecker

formats = FormatChecker(formats=())
TIME = r'\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?'


@formats.checks('date-time')
def date_time(value):
    return not isinstance(value, str) or bool(
        re.fullmatch(TIME + r'([Zz]|[+-]\d\d:\d\d)', value))


@formats.checks('date-time-local')
def date_time_local(value):
    return not isinstance(value, str) or bool(re.fullmatch(TIME, value))


@formats.checks('uuid')
def uuid(value):
    return not isinstance(value, str) or bool(
        re.fullmatch(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', value))


@formats.checks('int32')
def int32(value):
    return not isinstance(value, int) or -2**31 <= value < 2**31


@formats.checks('int64')
def int64(value):
    return not isinstance(value, int) or -2**63 <= value < 2**63


def closed(schema):
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if schema.get('type') == 'object' and 'properties' in schema:
        schema['additionalProperties'] = False
    return schema


documents = {}


def document(file):
    if file not in documents:
        documents[file] = closed(json.load(open(file, encoding='utf-8')))
    return documents[file]


def wrong(case):
    whole = document(case['document'])
    responses = whole['paths'][case['path']][case['method']]['responses']
    response = responses.get(str(case['status']))
    if response is None:
        return 'the status %s is not documented' % case['status']
    content = response.get('content')
    if content is None:
        return case['body'] and 'there is a body'
    if case['type'] not in content:
        return 'the type %r is not documented' % case['type']
    schema = dict(content[case['type']]['schema'])
    schema['components'] = whole['components']
    body = case['body']
    if case['type'] != 'text/plain':
        try:
            body = json.loads(body)
        except ValueError as error:
            return str(error)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=formats)
    return '; '.join('%s: %s' % (error.json_path, error.message)
                     for error in validator.iter_errors(body))


print(json.dumps([wrong(case) for case in json.load(sys.stdin)]))
