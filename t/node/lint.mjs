// Checks OpenAPI documents by the specification's own schema and by Redocly's
// rules, of which each counts as an error.  Prints a JSON object: what is wrong,
// by file.
//
//   node lint.mjs FILE...

import { createConfig, lint } from '@redocly/openapi-core';
import { Validator } from '@seriousme/openapi-schema-validator';

// What a definition cannot say, or what is a matter of taste.
const OFF = [
    'info-license',             // a definition has none
    'security-defined',         // who may ask is a matter of the location
    'operation-4xx-response',   // some APIs answer 200 to everything
    'tag-description',
    'no-path-trailing-slash',
];

const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
        ...Object.fromEntries(OFF.map((rule) => [rule, 'off'])),
        'no-identical-paths': 'error',
        'no-ambiguous-paths': 'off',    // a literal path counts first here
        'no-invalid-schema-examples': 'error',
        'no-invalid-parameter-examples': 'error',
        'operation-parameters-unique': 'error',
        'tags-alphabetical': 'off',
    },
});

async function problems(file) {
    const result = await new Validator().validate(file);
    const found = result.valid ? [] : [result.errors].flat().map(
        (error) => typeof error === 'string' ? error
            : `${error.instancePath} ${error.message}`);

    for (const { ruleId, message, location } of await lint({ ref: file, config }))
        found.push(`${ruleId}: ${location[0].pointer}: ${message}`);

    return found;
}

const wrong = {};

for (const file of process.argv.slice(2))
    wrong[file] = await problems(file);

console.log(JSON.stringify(wrong));
