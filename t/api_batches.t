# A sixth API, from the public reference of OpenAI's Batch API, served by its
# definition alone: cursors that are ids, times in seconds since the epoch, a
# cancel that answers with the task, errors in an object of their own.

use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Tasks 'no_plan';

my $API = <<'END';
>>> batches.json
{
  "name": "batches",
  "id": {"type": "string", "pattern": "^batch_[A-Za-z0-9]+$", "max_length": 64,
         "errors": {"default": {"class": "not_found"}}},
  "order": "created_at desc",

  "fields": {
    "object":            {"type": "string", "default": "batch"},
    "endpoint":          {"type": "string", "required": true},
    "errors":            {"type": "object", "default": null},
    "input_file_id":     {"type": "string", "required": true},
    "completion_window": {"type": "string", "default": "24h"},
    "status":            {"type": "string", "default": "validating"},
    "output_file_id":    {"type": "string", "default": null},
    "error_file_id":     {"type": "string", "default": null},
    "created_at":        {"type": "integer"},
    "in_progress_at":    {"type": "integer", "default": null},
    "expires_at":        {"type": "integer", "default": null},
    "finalizing_at":     {"type": "integer", "default": null},
    "completed_at":      {"type": "integer", "default": null},
    "failed_at":         {"type": "integer", "default": null},
    "expired_at":        {"type": "integer", "default": null},
    "cancelling_at":     {"type": "integer", "default": null},
    "cancelled_at":      {"type": "integer", "default": null},
    "request_counts":    {"type": "object", "default": {"total": 0, "completed": 0, "failed": 0}},
    "metadata":          {"type": "object", "default": null}
  },

  "cancel": {
    "from": ["validating", "in_progress", "finalizing"],
    "unchanged": ["cancelling", "cancelled"],
    "set": {"status": "cancelling", "cancelling_at": "$now_unix"}
  },

  "routes": [
    {
      "action": "list",
      "query": {
        "after": {"role": "cursor", "encoding": "none", "form": "$id"},
        "limit": {"type": "integer", "role": "limit", "default": 20, "minimum": 1, "maximum": 100}
      },
      "response": {"object": "list", "data": "$tasks", "first_id": "$first_id", "last_id": "$last_id",
                   "has_more": "$has_more"}
    },
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "path": "/{id}/cancel", "response": "$task"}
  ],

  "errors": {
    "default": {"code": "server_error",
                "body": {"error": {"message": "$message", "type": "$code", "param": "$parameter", "code": null}}},
    "bad_parameter": {
      "code": "invalid_request_error",
      "rules": {
        "type":    "Invalid type for '$parameter': expected an integer.",
        "minimum": "Invalid '$parameter': integer below minimum value. Expected a value >= 1, but got $value instead.",
        "maximum": "Invalid '$parameter': integer above maximum value. Expected a value <= 100, but got $value instead."
      }
    },
    "bad_cursor":    {"code": "invalid_request_error", "message": "No batch found with id '$value'."},
    "unauthorized":  {"code": "invalid_request_error", "message": "Incorrect API key provided."},
    "no_token":      {"message": "You didn't provide an API key."},
    "not_found":     {"code": "invalid_request_error", "message": "No batch found with that id."},
    "no_route":      {"code": "invalid_request_error", "message": "Invalid URL"},
    "bad_method":    {"code": "invalid_request_error", "message": "Not allowed on this URL"},
    "cannot_cancel": {"code": "invalid_request_error", "message": "Cannot cancel a batch with status '$state'."}
  }
}
END

my $CONFIG = <<'END';
    location /v1/batches {
        tasks_api  apis/batches.json;
        tasks_pass main;

        tasks_auth       credential;
        tasks_credential $tasks_bearer;
        tasks_scope      $tasks_credential_project;
    }
END

my $TASKS = <<'END';
= batches proj_1
batch_abc123 {"endpoint":"/v1/completions","input_file_id":"file-abc123","status":"completed","output_file_id":"file-cvaTdG","error_file_id":"file-HOWS94","created_at":1711471533,"in_progress_at":1711471538,"expires_at":1711557933,"finalizing_at":1711493133,"completed_at":1711493163,"request_counts":{"total":100,"completed":95,"failed":5},"metadata":{"customer_id":"user_123456789","batch_description":"Nightly eval job"}}
batch_def456 {"endpoint":"/v1/embeddings","input_file_id":"file-def","status":"in_progress","created_at":1711471600}
batch_ghi789 {"endpoint":"/v1/embeddings","input_file_id":"file-ghi","created_at":1711471600}
batch_jkl000 {"endpoint":"/v1/embeddings","input_file_id":"file-jkl","status":"cancelled","created_at":1711471700}
= batches proj_2
batch_zzz {"endpoint":"/v1/embeddings","input_file_id":"file-zzz","created_at":1711471800}
END

sub key { return 'HSET tasks:credential:' . sha256_hex($_[0]) . " project $_[1]\n" }

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(api_file => $API);
    $block->set_value(config => $CONFIG);
    $block->set_value(put => $TASKS);
    $block->set_value(redis => key('sk-one', 'proj_1') . key('sk-two', 'proj_2'));
    $block->set_value(more_headers => 'Authorization: Bearer sk-one')
        unless defined $block->more_headers;
});

sub failure {
    my ($message, $parameter) = @_;
    $parameter = defined $parameter ? qq("$parameter") : 'null';
    return qq({"error":{"message":"$message","type":"invalid_request_error",)
         . qq("param":$parameter,"code":null}});
}

run_tests();

__DATA__

=== the list, newest first, with the ids of its ends
--- request
GET /v1/batches?limit=2
--- response_json
{"object":"list","data":[
 {"id":"batch_jkl000","object":"batch","endpoint":"/v1/embeddings","errors":null,"input_file_id":"file-jkl","completion_window":"24h","status":"cancelled","output_file_id":null,"error_file_id":null,"created_at":1711471700,"in_progress_at":null,"expires_at":null,"finalizing_at":null,"completed_at":null,"failed_at":null,"expired_at":null,"cancelling_at":null,"cancelled_at":null,"request_counts":{"total":0,"completed":0,"failed":0},"metadata":null},
 {"id":"batch_ghi789","object":"batch","endpoint":"/v1/embeddings","errors":null,"input_file_id":"file-ghi","completion_window":"24h","status":"validating","output_file_id":null,"error_file_id":null,"created_at":1711471600,"in_progress_at":null,"expires_at":null,"finalizing_at":null,"completed_at":null,"failed_at":null,"expired_at":null,"cancelling_at":null,"cancelled_at":null,"request_counts":{"total":0,"completed":0,"failed":0},"metadata":null}],
 "first_id":"batch_jkl000","last_id":"batch_ghi789","has_more":true}



=== the next page comes after an id, also among equal times
--- request
GET /v1/batches?limit=2&after=batch_ghi789
--- response_body_like: "id":"batch_def456".*"id":"batch_abc123".*"first_id":"batch_def456","last_id":"batch_abc123","has_more":false\}$



=== an empty page has no ids
--- request
GET /v1/batches?after=batch_abc123
--- response_json
{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}



=== an id that is none, and one of another project
--- request eval
["GET /v1/batches?after=batch_none", "GET /v1/batches?after=batch_zzz"]
--- error_code eval
[400, 400]
--- response_json eval
[main::failure("No batch found with id 'batch_none'.", 'after'),
 main::failure("No batch found with id 'batch_zzz'.", 'after')]



=== the example of the documents
--- request
GET /v1/batches/batch_abc123
--- response_json
{"id":"batch_abc123","object":"batch","endpoint":"/v1/completions","errors":null,"input_file_id":"file-abc123","completion_window":"24h","status":"completed","output_file_id":"file-cvaTdG","error_file_id":"file-HOWS94","created_at":1711471533,"in_progress_at":1711471538,"expires_at":1711557933,"finalizing_at":1711493133,"completed_at":1711493163,"failed_at":null,"expired_at":null,"cancelling_at":null,"cancelled_at":null,"request_counts":{"total":100,"completed":95,"failed":5},"metadata":{"customer_id":"user_123456789","batch_description":"Nightly eval job"}}



=== a cancel answers with the batch as it is then
--- request
POST /v1/batches/batch_def456/cancel
--- response_body_like: ^\{"id":"batch_def456",.*"status":"cancelling",.*"created_at":1711471600,.*"cancelling_at":1[0-9]{9},"cancelled_at":null,



=== cancelled already: the batch, unchanged
--- request
POST /v1/batches/batch_jkl000/cancel
--- response_body_like: "status":"cancelled",.*"cancelling_at":null,



=== completed, missing and foreign ones
--- request eval
["POST /v1/batches/batch_abc123/cancel", "POST /v1/batches/batch_none/cancel",
 "POST /v1/batches/batch_zzz/cancel", "GET /v1/batches/x"]
--- error_code eval
[409, 404, 404, 404]
--- response_json eval
[main::failure("Cannot cancel a batch with status 'completed'."),
 (main::failure('No batch found with that id.')) x 3]



=== bad limits
--- request eval
["GET /v1/batches?limit=0", "GET /v1/batches?limit=101", "GET /v1/batches?limit=x"]
--- error_code eval
[400, 400, 400]
--- response_json eval
[main::failure("Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.", 'limit'),
 main::failure("Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.", 'limit'),
 main::failure("Invalid type for 'limit': expected an integer.", 'limit')]



=== another project's key sees its own
--- more_headers
Authorization: Bearer sk-two
--- request
GET /v1/batches
--- response_body_like: ^\{"object":"list","data":\[\{"id":"batch_zzz",[^]]*\],"first_id":"batch_zzz","last_id":"batch_zzz","has_more":false\}$



=== a wrong key
--- more_headers
Authorization: Bearer sk-three
--- request
GET /v1/batches
--- error_code: 401
--- response_json eval
main::failure('Incorrect API key provided.')



=== no key
--- more_headers
X-Other: 1
--- request
GET /v1/batches
--- error_code: 401
--- response_json eval
main::failure("You didn't provide an API key.")
