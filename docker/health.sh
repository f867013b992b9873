#!/bin/bash
# The image's health check: whether nginx answers, with a status below 500.
# With the path of an API, whether its Redis does, too.
#
#   tasks-health [PATH]
#
#   TASKS_PORT=8080

exec 3<>"/dev/tcp/127.0.0.1/${TASKS_PORT:-8080}" || exit 1

printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "${1:-/}" >&3

read -r -t 3 -u 3 _ status _ && [[ $status == [1-4]?? ]]
