# One task by its id.

use lib 't/lib';
use Tasks 'no_plan';

run_tests();

__DATA__

=== TEST 1: every field of the detail view, as it was written
--- put
42 {"project_id":1,"task_type":"search","status":"running","progress":30,"created_at":"2025-03-12T10:00:00","params":{"q": 1.10}}
--- config
    location /api/v1/tasks { tasks_api apis/omelette.json; tasks_pass main; }
--- request
GET /api/v1/tasks/42
--- response_body_like: ^\{"code":200,"message":"success","data":\{"id":42,"project_id":1,.*"params":\{"q": 1\.10\},"result":null,"error_message":""
