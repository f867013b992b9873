"""FastAPI on uvicorn, with redis-py (async, its parser in C)."""

import os
from typing import Optional
from urllib.parse import quote

from fastapi import FastAPI, Response
from redis.asyncio import Redis

FIELDS = ['project_id', 'task_type', 'status', 'progress', 'total',
          'created_at', 'started_at', 'owner', 'queue', 'worker', 'attempts',
          'params']
NAMES = [b',"%s":' % field.encode() for field in FIELDS]

app = FastAPI()
redis = Redis(unix_socket_path=os.environ['BENCH_SOCKET'])


def base(scope: str) -> str:
    return 'tasks:{bench:%s}' % quote(scope, safe='')


def answer(data: bytes) -> Response:
    return Response(b'{"code":200,"message":"success","data":%s}' % data,
                    media_type='application/json')


@app.get('/tasks')
async def list_tasks(scope: str, limit: int = 50,
                     project_id: Optional[int] = None,
                     status: Optional[str] = None):
    key = base(scope)
    terms = []

    if project_id is not None:
        terms.append('project_id=%d' % project_id)

    if status is not None:
        terms.append('status=' + quote(status, safe=''))

    index = key + ':index' + (':' + '&'.join(terms) if terms else '')
    members = await redis.zrange(index, 0, limit - 1, desc=True)

    if not members:
        return answer(b'[]')

    ids = [member.split(b':', 1)[1] for member in members]
    rows = await redis.hmget(key + ':rows', ids)

    return answer(b'[%s]' % b','.join(rows))


@app.get('/tasks/{task_id}')
async def get_task(task_id: int, scope: str):
    values = await redis.hmget('%s:task:%d' % (base(scope), task_id), FIELDS)
    members = [name + value for name, value in zip(NAMES, values)
               if value is not None]

    if not members:
        return Response(status_code=404)

    return answer(b'{"id":%d%s}' % (task_id, b''.join(members)))
