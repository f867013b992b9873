# Cloudreve's task API: the conformance cases by their ids, the examples of its
# documents, and what its server does beyond them.  Locations and maps are those
# of conf/nginx.conf.
#
# Sections of this suite; of those with lines, each request has its own:
#
#   --- user        U1 (unless the block has more_headers) or U2: whose token
#   --- ids         the ids of a list, "-" for none
#   --- pagination  the pagination object
#   --- task        "ID {...}": a task of the list, member by member
#   --- flag        "ID JSON" in Redis: whether user 1's task is to be cancelled
#   --- fresh       no request has had the response's correlation id before

use lib 't/lib';
use Tasks 'no_plan';

use MIME::Base64 qw(encode_base64);
use Tasks::JWT;
use Tasks::Shipped;

our $API = '/cloudreve/api/v4/workflow';

my %SUB = (U1 => '"VrFV"', U2 => '"vRHn"');

my @IDS = qw(G1FV QpH3 kNs0 1Rhq mpfn EyT8 BrSK pRuV nPcR 2MCq zjUg JAIp RPiw
             yOtq 3qFx r0HB XqsK WOhG 9Bfj wWTZ gkSP xOuG Pocr NvCW ZqUb 5WIP);

my $NODE = '{"id":"LgFg","name":"Master","type":"master","capabilities":"Hg=="}';

my $ARCHIVES = join '',
    map { sprintf <<'END', $IDS[$_ - 1], $_, $_, $_ } 1 .. 26;
%s {"number":%d,"type":"create_archive","status":"completed","created_at":"2025-01-01T00:00:%02d+08:00","updated_at":"2025-01-01T00:00:%02d+08:00","summary":{"phase":"finish","props":{"dst":"cloudreve://my/o.zip","failed":0,"src_multiple":["cloudreve://my/a"]}}}
END

my $FIXTURES = <<"END";
= cloudreve vRHn
$ARCHIVES
= cloudreve VrFV
LEqs3 {"number":100,"type":"relocate","status":"completed","created_at":"2025-04-26T09:57:59+08:00","updated_at":"2025-04-26T09:58:30+08:00","summary":{"phase":"finish","props":{"dst_policy_id":"VecA","failed":0,"src_multiple":["cloudreve://my/1/cloudreve_4.0.0-beta.6_darwin_arm64.tar.gz"]}},"error":"","error_history":[],"retry_count":0,"duration":19806,"resume_time":1745632709}
GXEiV {"number":101,"type":"extract_archive","status":"error","created_at":"2025-04-26T10:00:00+08:00","updated_at":"2025-04-26T10:00:01+08:00","node":$NODE,"summary":{"props":{"dst":"cloudreve://my","src":"cloudreve://my/a.zip"}},"error":"get https://h/x?sign=REDACTED: denied","error_history":[],"retry_count":0,"duration":13,"resume_time":0}
2GpUq {"number":110,"type":"remote_download","status":"suspending","created_at":"2025-04-26T11:00:00+08:00","updated_at":"2025-04-26T11:00:01+08:00","node":$NODE,"summary":{"phase":"monitor","props":{"dst":"cloudreve://my","failed":0,"src":"","src_str":"magnet:y","download":{"name":"n","state":"downloading","total":10,"downloaded":5,"download_speed":0,"uploaded":0,"upload_speed":0}}}}
zgaug {"number":111,"type":"remote_download","status":"queued","created_at":"2025-04-26T11:01:00+08:00","updated_at":"2025-04-26T11:01:00+08:00","summary":{"props":{"dst":"cloudreve://my","failed":0,"src":"","src_str":"magnet:x","download":null}}}
J8Jtp {"number":112,"type":"remote_download","status":"completed","created_at":"2025-04-26T11:02:00+08:00","updated_at":"2025-04-26T11:02:00+08:00"}
RmVhw {"number":113,"type":"remote_download","status":"canceled","created_at":"2025-04-26T11:03:00+08:00","updated_at":"2025-04-26T11:03:00+08:00"}
wZBHZ {"number":120,"type":"media_meta","status":"queued","created_at":"2025-04-26T12:00:00+08:00","updated_at":"2025-04-26T12:00:00+08:00"}
END

add_block_preprocessor(sub {
    my ($block) = @_;

    my $user = $block->user
               // (defined $block->more_headers ? undef : 'U1');

    $block->set_value(more_headers => bearer(sub => $SUB{$user}))
        if defined $user;

    $block->set_value(http_config => maps() . ($block->http_config // ''));
    $block->set_value(config => location($API)) unless defined $block->config;
    $block->set_value(conf_file => ">>> keys/cloudreve.key\ncr-secret");
    $block->set_value(user_files => []);    # files as they are, to the byte
    $block->set_value(put => $FIXTURES) unless defined $block->put;
});


# Tokens: good ones of user 1, but for the claims that are given, as JSON; undef
# leaves a claim out.

sub token {
    return jwt(claims_json(token_type => '"access"', sub => $SUB{U1},
                           nbf => time - 10, exp => time + 3600, @_),
               'cr-secret');
}

sub bearer { return 'Authorization: Bearer ' . token(@_) }

sub client {
    my $scopes = join ',', map { qq("$_") } @_;
    return bearer(client_id => '"app"', scopes => "[$scopes]");
}


# Requests and responses.

sub list {
    my ($query) = @_;
    return "GET $API?$query";
}

sub cursor { return encode_base64(qq({"id":"$_[0]"}), '') }

sub bad_parameter { return qq({"code":40001,"msg":"$_[0]"}) }

sub failure {
    my ($code, $message, $id) = @_;
    $id //= '<uuid>';
    return qq({"code":$code,"msg":"$message","correlation_id":"$id"});
}

sub login_required { return failure(401, 'Login required') }


# What the suite's sections promise.

my %seen;

add_response_body_check(sub {
    my ($block, $body, $index) = @_;

    for my $name (qw(ids pagination task flag)) {
        my $lines = $block->$name // next;
        my $expected = (grep { /\S/ } split /\n/, $lines)[$index] // next;

        no strict 'refs';
        &{"check_$name"}($expected, $body, $block->name . " - $name $index");
    }

    check_fresh($body, $block->name) if defined $block->fresh;
});

sub data_of {
    my ($body) = @_;
    my $json = eval { Tasks::JSON::decode($body) };
    return ref $json eq 'HASH' ? $json->{data} // {} : {};
}

sub check_ids {
    my ($expected, $body, $name) = @_;
    my $tasks = data_of($body)->{tasks} // [{ id => 'no list' }];
    is(join(' ', map { $_->{id} } @$tasks) || '-', $expected, $name);
}

sub check_pagination {
    my ($expected, $body, $name) = @_;
    is_json(Tasks::JSON::show(data_of($body)->{pagination}), $expected, $name);
}

sub check_task {
    my ($expected, $body, $name) = @_;
    my ($id, $json) = split / /, $expected, 2;
    my ($task) = grep { $_->{id} eq $id } @{ data_of($body)->{tasks} // [] };
    is_json(Tasks::JSON::show($task), $json, $name);
}

sub check_flag {
    my ($expected, undef, $name) = @_;
    my ($id, $json) = split / /, $expected;
    is(redis('HGET', "tasks:{cloudreve:VrFV}:task:$id", 'cancel') // 'null',
       $json, $name);
}

sub check_fresh {
    my ($body, $name) = @_;
    my ($id) = $body =~ /"correlation_id":"([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}
                                           -[89ab][0-9a-f]{3}-[0-9a-f]{12})"/x;
    ok(defined $id && !$seen{$id}++, "$name - a fresh random UUID");
}


# Tasks: of user 1, with what they must have; the 200 of the walk have such ids
# that neither their order nor that of their times is that of their numbers.

sub tasks { return join "\n", '= cloudreve VrFV', map { one_task(@$_) } @_ }

sub one_task {
    my ($number, $id, $type, $status, $time) = @_;

    $status = $status ? qq("status":"$status",) : '';
    $time //= '2025-01-01T00:00:00Z';

    return qq($id {"number":$number,"type":"$type",$status)
        . qq("created_at":"$time","updated_at":"2025-01-01T00:00:00Z"});
}

sub walk_id { return 't' . $_[0] * 7919 % 10007 }

sub walk_task {
    my ($number) = @_;

    return [$number, walk_id($number),
            (qw(create_archive extract_archive relocate import))[$number % 4],
            'completed', sprintf '2025-01-01T00:00:%02dZ', $number * 31 % 60];
}

sub walk_page {
    my ($last) = @_;

    return list('page_size=10&category=general&next_page_token='
                . ($last ? cursor(walk_id($last)) : ''));
}


# A document's example: what a writer stores of it, the newest first.

sub seed { return Tasks::slurp("t/seeds/cloudreve_$_[0].json") }

sub seed_tasks {
    my $tasks = data_of(seed(@_))->{tasks};
    my $number = @$tasks;

    return join "\n", '= cloudreve VrFV',
        map { delete($_->{id}) . ' '
              . Tasks::JSON::show({ %$_, number => $number-- }) } @$tasks;
}

run_tests();

__DATA__

=== CR1: general tasks, the newest first, on one page: there is no next_token
--- request
GET /cloudreve/api/v4/workflow?page_size=25&category=general
--- response_headers
Content-Type: application/json; charset=utf-8
Cache-Control: private, no-cache
--- ids
GXEiV LEqs3
--- pagination
{"page":0,"page_size":25,"is_cursor":true}
--- response_json
{"code":0,"data":{"tasks":[
{"created_at":"2025-04-26T10:00:00+08:00","updated_at":"2025-04-26T10:00:01+08:00","id":"GXEiV","status":"error","type":"extract_archive","node":{"id":"LgFg","name":"Master","type":"master","capabilities":"Hg=="},"summary":{"props":{"dst":"cloudreve://my","src":"cloudreve://my/a.zip"}},"error":"get https://h/x?sign=REDACTED: denied","duration":13},
{"created_at":"2025-04-26T09:57:59+08:00","updated_at":"2025-04-26T09:58:30+08:00","id":"LEqs3","status":"completed","type":"relocate","summary":{"phase":"finish","props":{"dst_policy_id":"VecA","failed":0,"src_multiple":["cloudreve://my/1/cloudreve_4.0.0-beta.6_darwin_arm64.tar.gz"]}},"duration":19806,"resume_time":1745632709}
],"pagination":{"page":0,"page_size":25,"is_cursor":true}},"msg":""}



=== CR2: a task has no node, error, error_history and retry_count if it has none
--- request
GET /cloudreve/api/v4/workflow?page_size=25&category=general
--- task
LEqs3 {"created_at":"2025-04-26T09:57:59+08:00","updated_at":"2025-04-26T09:58:30+08:00","id":"LEqs3","status":"completed","type":"relocate","summary":{"phase":"finish","props":{"dst_policy_id":"VecA","failed":0,"src_multiple":["cloudreve://my/1/cloudreve_4.0.0-beta.6_darwin_arm64.tar.gz"]}},"duration":19806,"resume_time":1745632709}



=== CR4: the first ten of 26, and the token of the next ones
--- user: U2
--- request
GET /cloudreve/api/v4/workflow?page_size=10&category=general
--- ids
5WIP ZqUb NvCW Pocr xOuG gkSP wWTZ 9Bfj WOhG XqsK
--- pagination
{"page":0,"page_size":10,"next_token":"eyJpZCI6Ilhxc0sifQ==","is_cursor":true}



=== CR7: 26 tasks on a page of 26: no next_token
--- user: U2
--- request
GET /cloudreve/api/v4/workflow?page_size=26&category=general
--- ids
5WIP ZqUb NvCW Pocr xOuG gkSP wWTZ 9Bfj WOhG XqsK r0HB 3qFx yOtq RPiw JAIp zjUg 2MCq nPcR pRuV BrSK EyT8 mpfn 1Rhq kNs0 QpH3 G1FV
--- pagination
{"page":0,"page_size":26,"is_cursor":true}



=== CR8: downloads that go on, on pages of 32765; download is null at first
--- request eval
[(main::list('page_size=10&category=downloading')) x 2]
--- ids
zgaug 2GpUq
zgaug 2GpUq
--- pagination
{"page":0,"page_size":32765,"is_cursor":true}
{"page":0,"page_size":32765,"is_cursor":true}
--- task
zgaug {"created_at":"2025-04-26T11:01:00+08:00","updated_at":"2025-04-26T11:01:00+08:00","id":"zgaug","status":"queued","type":"remote_download","summary":{"props":{"dst":"cloudreve://my","failed":0,"src":"","src_str":"magnet:x","download":null}}}
2GpUq {"created_at":"2025-04-26T11:00:00+08:00","updated_at":"2025-04-26T11:00:01+08:00","id":"2GpUq","status":"suspending","type":"remote_download","node":{"id":"LgFg","name":"Master","type":"master","capabilities":"Hg=="},"summary":{"phase":"monitor","props":{"dst":"cloudreve://my","failed":0,"src":"","src_str":"magnet:y","download":{"name":"n","state":"downloading","total":10,"downloaded":5,"download_speed":0,"uploaded":0,"upload_speed":0}}}}



=== CR10: no page_size: 200, code 40001, and no correlation_id
--- request
GET /cloudreve/api/v4/workflow?category=general
--- response_json
{"code":40001,"msg":"PageSize cannot be empty"}



=== CR13: no Authorization: 200, code 401, whatever the parameters are
--- more_headers
--- request eval
[main::list('page_size=25&category=general'), main::list('page_size=x')]
--- error_code eval
[200, 200]
--- response_json eval
[(main::login_required()) x 2]
--- fresh



=== CR17: a token that is none, and one of a file
--- request eval
[map { main::list("page_size=25&category=general&next_page_token=$_") }
     '@@@', 'eyJpZCI6IlZxa0g5In0=', '%40%40%40', 'eyJpZCI6IlZxa0g5In0%3D']
--- response_json eval
[(main::failure(50001, 'Failed to query tasks')) x 4]
--- fresh



=== CR18: a cancel is recorded for the worker, who moves the task later
--- request eval
["DELETE /cloudreve/api/v4/workflow/download/2GpUq",
 main::list('page_size=10&category=downloading')]
--- response_body_like eval
['^\{"code":0,"msg":""\}$', '"id":"2GpUq"[^{}]*"status":"suspending"']
--- flag
2GpUq true
2GpUq true
--- ids eval
"no list\nzgaug 2GpUq"



=== CR21: no progress of a task that has ended, nor of somebody else's
--- request eval
["GET /cloudreve/api/v4/workflow/progress/J8Jtp", "GET /cloudreve/api/v4/workflow/progress/2GpUq"]
--- more_headers eval
[main::bearer(), main::bearer(sub => '"vRHn"')]
--- response_json eval
['{"code":0,"data":{},"msg":""}', '{"code":0,"data":{},"msg":""}']



=== page_size: 10 to 100 are sizes; signs and zeros in front do not matter
--- user: U2
--- request eval
[map { main::list("category=general&page_size=$_") } qw(10 11 99 100 %2B20 020 2%30)]
--- response_body_like eval
[map { qr/^\{"code":0,.*"page_size":$_,/ } qw(10 11 99 100 20 20 20)]



=== page_size: missing, empty or zero
--- request eval
[map { main::list("category=general$_") }
     '', '&page_size=', '&page_size', '&page_size=0', '&page_size=00', '&page_size=-0',
     '&page_size=%2B0', '&PAGE_SIZE=25']
--- response_json eval
[(main::bad_parameter('PageSize cannot be empty')) x 8]



=== page_size: too short
--- request eval
[map { main::list("category=general&page_size=$_") } qw(9 1 -1 -25 -9223372036854775808)]
--- response_json eval
[(main::bad_parameter('PageSize too short')) x 5]



=== page_size: too long
--- request eval
[map { main::list("category=general&page_size=$_") } qw(101 1000 32765 9223372036854775807)]
--- response_json eval
[(main::bad_parameter('PageSize too long')) x 4]



=== page_size: no integer
--- request eval
[map { main::list("category=general&page_size=$_") }
     qw(x 25.0 1e2 0x19 25x %2025 25%20 +25 - null true %00 %FF 9223372036854775808 99999999999999999999)]
--- response_json eval
[(main::bad_parameter('Parameter error')) x 15]



=== category: missing or empty
--- request eval
[map { main::list("page_size=25$_") } '', '&category=', '&category', '&Category=general']
--- response_json eval
[(main::bad_parameter('Category cannot be empty')) x 4]



=== category: none of the three, among them texts that no UTF-8 is
--- request eval
[map { main::list("page_size=25&category=$_") }
     'all', 'General', 'general,', 'general,downloaded', '%20general', 'general%00', '%FF',
     'x' x 300]
--- response_json eval
[(main::bad_parameter('Invalid parameters.')) x 8]



=== one mistake is told: of a type first, then page_size, then category, then the token
--- request eval
[map { main::list($_) } '', 'page_size=5', 'page_size=101&category=all', 'category=all',
     'category=&page_size=', 'category=all&page_size=x', 'page_size=x',
     'page_size=x&next_page_token=@@@',
     'next_page_token=@@@', 'next_page_token=@@@&page_size=25',
     'next_page_token=@@@&page_size=25&category=all',
     'next_page_token=@@@&page_size=25&category=downloaded']
--- response_json eval
[map({ main::bad_parameter($_) } 'PageSize cannot be empty', 'PageSize too short',
 'PageSize too long',
     'PageSize cannot be empty', 'PageSize cannot be empty', 'Parameter error', 'Parameter error',
     'Parameter error',
     'PageSize cannot be empty', 'Category cannot be empty', 'Invalid parameters.'),
 main::failure(50001, 'Failed to query tasks')]



=== page_size is checked for downloads that go on, and not used
--- request eval
[map { main::list("category=downloading$_") } '', '&page_size=5', '&page_size=101', '&page_size=x',
     '&page_size=100']
--- response_body_like eval
['PageSize cannot be empty', 'PageSize too short', 'PageSize too long', 'Parameter error',
 '"page_size":32765']



=== the first one of repeated parameters counts
--- request eval
[map { main::list($_) } 'page_size=25&page_size=x&category=general&category=all&next_page_token=&next_page_token=@@@',
     'page_size=&page_size=25&category=general', 'page_size=25&category=all&category=general',
     'page_size=25&category=general&next_page_token=@@@&next_page_token=']
--- ids
GXEiV LEqs3
no list
no list
no list
--- response_body_like eval
['^\{"code":0,', 'PageSize cannot be empty', 'Invalid parameters\.', 'Failed to query tasks']



=== other parameters do not matter, nor their order
--- request
GET /cloudreve/api/v4/workflow?page=3&limit=x&category=general&status=error&&=&page_size=25&id=LEqs3&type=relocate
--- ids
GXEiV LEqs3



=== parameters are decoded
--- user: U2
--- request
GET /cloudreve/api/v4/workflow?pa%67e_size=%31%30&category=gener%61l&next_page_token=eyJpZCI6Ilhxc0sifQ%3d%3D
--- ids
r0HB 3qFx yOtq RPiw JAIp zjUg 2MCq nPcR pRuV BrSK



=== an empty token is the first page
--- user: U2
--- request eval
[map { main::list("page_size=10&category=general$_") } '&next_page_token=', '&next_page_token', '']
--- ids
5WIP ZqUb NvCW Pocr xOuG gkSP wWTZ 9Bfj WOhG XqsK
5WIP ZqUb NvCW Pocr xOuG gkSP wWTZ 9Bfj WOhG XqsK
5WIP ZqUb NvCW Pocr xOuG gkSP wWTZ 9Bfj WOhG XqsK



=== the pages behind: the last one, not full, has no token
--- user: U2
--- request eval
[map { main::list("page_size=10&category=general&next_page_token=" . main::cursor($_)) } 'XqsK',
     'BrSK', 'G1FV']
--- ids
r0HB 3qFx yOtq RPiw JAIp zjUg 2MCq nPcR pRuV BrSK
EyT8 mpfn 1Rhq kNs0 QpH3 G1FV
-
--- pagination eval
CORE::join "\n", '{"page":0,"page_size":10,"next_token":"' . main::cursor('BrSK') . '","is_cursor":true}',
           ('{"page":0,"page_size":10,"is_cursor":true}') x 2



=== a last page that is full has no token either
--- user: U2
--- request eval
[map { main::list("page_size=$_&category=general&next_page_token=" . main::cursor('XqsK')) } 15, 16]
--- pagination eval
CORE::join "\n", '{"page":0,"page_size":15,"next_token":"' . main::cursor('QpH3') . '","is_cursor":true}',
           '{"page":0,"page_size":16,"is_cursor":true}'



=== a walk over 200 tasks by ten is the whole order: by number, not by time or id
--- put eval
main::tasks(map { main::walk_task($_ * 77 % 200 + 1) } 0 .. 199)
--- request eval
[main::walk_page(), map { main::walk_page($_ * 10 + 1) } CORE::reverse 1 .. 19]
--- ids eval
CORE::join "\n", map { CORE::join ' ',
    map { main::walk_id($_) } CORE::reverse $_ * 10 + 1 .. $_ * 10 + 10 }
                      CORE::reverse 0 .. 19
--- pagination eval
CORE::join "\n",
    map({ '{"page":0,"page_size":10,"next_token":"' . main::cursor(main::walk_id($_ * 10 + 1)) . '","is_cursor":true}' }
        CORE::reverse 1 .. 19),
    '{"page":0,"page_size":10,"is_cursor":true}'



=== the same 200 tasks by a hundred
--- keep_data
--- put
--- request eval
[map { main::list("page_size=100&category=general$_") } '',
     '&next_page_token=' . main::cursor(main::walk_id(101))]
--- ids eval
CORE::join "\n", map { CORE::join ' ', map { main::walk_id($_) } CORE::reverse @$_ } [101 .. 200],
    [1 .. 100]
--- response_body_like eval
['"next_token":', '"page_size":100,"is_cursor":true']



=== the token of a task that was removed leads on
--- user: U2
--- redis_after_start
FCALL cloudreve_remove 1 tasks:{cloudreve:vRHn} XqsK
--- request eval
[map { main::list("page_size=10&category=general$_") } '', '&next_page_token=eyJpZCI6Ilhxc0sifQ==']
--- ids
5WIP ZqUb NvCW Pocr xOuG gkSP wWTZ 9Bfj WOhG r0HB
r0HB 3qFx yOtq RPiw JAIp zjUg 2MCq nPcR pRuV BrSK



=== the token of another user's task, or of none, leads nowhere
--- user: U2
--- request eval
[map { main::list('page_size=10&category=general&next_page_token=' . main::cursor($_)) } 'LEqs3',
     'zvJig']
--- response_json eval
[(main::failure(50001, 'Failed to query tasks')) x 2]



=== a token is of no category: one list goes on where another ended
--- request eval
[map { main::list("page_size=10&category=$_->[0]&next_page_token=" . main::cursor($_->[1])) }
     ['general', 'J8Jtp'], ['general', 'GXEiV'], ['downloading', 'zgaug'], ['downloading', 'wZBHZ'],
     ['downloaded', 'RmVhw'], ['downloaded', '2GpUq'], ['downloaded', 'wZBHZ']]
--- ids
GXEiV LEqs3
LEqs3
2GpUq
zgaug 2GpUq
J8Jtp
-
RmVhw J8Jtp



=== tokens that were never given out
--- user: U2
--- request eval
[map { main::list("page_size=10&category=general&next_page_token=$_") }
     'XqsK', 'x', '=', 'eyJpZCI6Ilhxc0sifQ', 'eyJpZCI6Ilhxc0sifQ=', '%20eyJpZCI6Ilhxc0sifQ==',
     'eyJpZCI6Ilhxc0sifR==',
     '%00', '%FF', 'A' x 5000,
     map { main::encode_base64($_, '') } '{}', '{"id":""}', '{"id":17}', '{"id":null}',
     '{"id":"XqsK"', '"XqsK"', 'XqsK',
     '["XqsK"]', '{"id":"Xq%K"}', '{"id":"XqsK:"}', "\0"]
--- response_json eval
[(main::failure(50001, 'Failed to query tasks')) x 21]



=== tasks of the same second, of different years, of any zone: by number
--- put eval
main::tasks([3, 'a3', 'import'], [4, 'c4', 'relocate', undef, '2024-01-01T00:00:00.5+08:00'], [2,
    'b2', 'relocate'],
            [10, 'd10', 'import'])
--- request
GET /cloudreve/api/v4/workflow?page_size=10&category=general
--- ids
d10 c4 a3 b2
--- task
c4 {"created_at":"2024-01-01T00:00:00.5+08:00","updated_at":"2025-01-01T00:00:00Z","id":"c4","status":"queued","type":"relocate"}



=== what each category shows of all types and statuses
--- put eval
my @all = qw(queued processing suspending error canceled completed);
my %tasks = (create_archive => ['queued'], extract_archive => ['queued'], relocate => \@all,
    import => \@all,
             remote_download => \@all, media_meta => \@all, entity_recycle_routine => ['queued']);
my $number = 0;
main::tasks(map { my $type = $_; map { [++$number, "$type$_" =~ tr/_//dr, $type,
    $_] } @{$tasks{$type}} }
                qw(create_archive extract_archive relocate import remote_download media_meta entity_recycle_routine))
--- request eval
[map { main::list("page_size=100&category=$_") } qw(general downloading downloaded)]
--- ids
importcompleted importcanceled importerror importsuspending importprocessing importqueued relocatecompleted relocatecanceled relocateerror relocatesuspending relocateprocessing relocatequeued extractarchivequeued createarchivequeued
remotedownloadsuspending remotedownloadprocessing remotedownloadqueued
remotedownloadcompleted remotedownloadcanceled remotedownloaderror



=== a user without tasks has an empty list
--- more_headers eval
main::bearer(sub => '"5555"')
--- request eval
[map { main::list("page_size=10&category=$_") } qw(general downloading)]
--- response_json eval
[map { qq({"code":0,"data":{"tasks":[],"pagination":{"page":0,"page_size":$_,"is_cursor":true}},"msg":""}) } 10, 32765]



=== nobody sees another user's tasks, whatever the name of the user
--- more_headers eval
[map { main::bearer(sub => qq("$_")) } 'VrFV', 'vRHn', 'vrfv', 'VrFV}:x', '*', '%56rFV', 'VrFV ',
     '../VrFV']
--- request eval
[(main::list('page_size=25&category=downloaded')) x 8]
--- ids
RmVhw J8Jtp
-
-
-
-
-
-
-



=== a task that ends goes from one category to the other
--- put
= cloudreve VrFV
2GpUq {"number":110,"type":"remote_download","status":"processing","created_at":"2025-04-26T11:00:00+08:00","updated_at":"2025-04-26T11:00:01+08:00"}
2GpUq {"status":"completed","updated_at":"2025-04-26T12:00:00+08:00","duration":5}
--- request eval
[map { main::list("page_size=10&category=$_") } qw(downloading downloaded downloaded)]
--- ids
-
2GpUq
2GpUq
--- task
2GpUq null
2GpUq {"created_at":"2025-04-26T11:00:00+08:00","updated_at":"2025-04-26T12:00:00+08:00","id":"2GpUq","status":"completed","type":"remote_download","duration":5}



=== what is empty or zero is left out, and what is not is shown
--- put
= cloudreve VrFV
b2 {"number":2,"type":"import","status":"error","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","node":null,"summary":null,"error":"x","error_history":["w","v"],"duration":1,"resume_time":2,"retry_count":3}
a1 {"number":1,"type":"import","status":"error","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","error":"x","error_history":["w"],"duration":1,"resume_time":2,"retry_count":3}
a1 {"error":"","error_history":[],"duration":0,"resume_time":0,"retry_count":0,"cancel":true,"progress":{"upload":{}}}
--- request eval
[(main::list('page_size=10&category=general')) x 2]
--- task
b2 {"created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","id":"b2","status":"error","type":"import","error":"x","error_history":["w","v"],"duration":1,"resume_time":2,"retry_count":3}
a1 {"created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","id":"a1","status":"error","type":"import"}



=== texts come back byte for byte
--- put
= cloudreve VrFV
a1 {"number":1,"type":"import","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","error":"\u003ca href=\"x\"\u003e & 文件 \ud83d\ude00 <b>","summary":{"props": {"f": 1.50, "n": 12345678901234567890}}}
--- request
GET /cloudreve/api/v4/workflow?page_size=10&category=general
--- response_body_like eval
qr/"summary":\{"props": \{"f": 1\.50, "n": 12345678901234567890\}\},"error":"\\u003ca href=\\"x\\"\\u003e & 文件 \\ud83d\\ude00 <b>"/



=== the document's example of general tasks
--- put eval: main::seed_tasks('general')
--- request
GET /cloudreve/api/v4/workflow?page_size=25&category=general&next_page_token=
--- response_json eval: main::seed('general')



=== the document's example of finished downloads
--- put eval: main::seed_tasks('downloaded')
--- request
GET /cloudreve/api/v4/workflow?page_size=25&category=downloaded
--- response_json eval: main::seed('downloaded')



=== the document's example of downloads that go on
--- put eval: main::seed_tasks('downloading')
--- request
GET /cloudreve/api/v4/workflow?page_size=25&category=downloading
--- response_json eval: main::seed('downloading')



=== a token that is not good is none: login is required, wherever it is
--- more_headers eval
[map { "Authorization: $_" } '', 'Bearer', 'Bearer ', 'Bearer x', 'Bearer a.b.c',
     'Bearer Cr abc:1745632709',
     'Basic ' . main::encode_base64('a:b', ''), 'Token ' . main::token(),
     'Bearer Bearer ' . main::token(),
     map { "Bearer $_" } main::token() . 'x', main::token(exp => time - 1),
     main::token(nbf => time + 60),
     main::token(sub => undef), main::token(sub => '""'), main::token(exp => '"soon"'),
     main::token(token_type => '"refresh"', exp => time - 1),
     main::jwt('{"token_type":"access","sub":"VrFV","exp":' . (time + 60) . '}', 'cx-secret'),
     main::jwt('{"token_type":"access","sub":"VrFV","exp":' . (time + 60) . '}', 'cr-secret',
     header => '{"alg":"none"}'),
     main::token() =~ s/[^.]*$//r]
--- request eval
[(main::list('page_size=25&category=general'), "GET $main::API/progress/2GpUq",
 "DELETE $main::API/download/2GpUq",
  main::list('page_size=5')) x 4, map { main::list('page_size=25&category=general') } 1 .. 3]
--- response_json eval
[(main::login_required()) x 19]
--- flag eval
"2GpUq null\n" x 19
--- fresh



=== a token works with and without "Bearer"
--- more_headers eval
["Authorization: " . main::token(), main::bearer()]
--- request eval
[(main::list('page_size=25&category=general')) x 2]
--- ids
GXEiV LEqs3
GXEiV LEqs3



=== only access tokens are for APIs, whatever is asked
--- more_headers eval
[map { main::bearer(token_type => $_) } '"refresh"', undef, '"Access"', '""', '["access"]',
     '"refresh"', '"refresh"', '"refresh"']
--- request eval
[(main::list('page_size=25&category=general')) x 5, "GET $main::API?page_size=x",
 "GET $main::API/progress/!", "DELETE $main::API/download/2GpUq"]
--- response_json eval
[(main::failure(40020, 'Invalid token type')) x 8]
--- flag eval
"2GpUq null\n" x 8
--- fresh



=== a client of OAuth reads what its scopes let it read
--- more_headers eval
[map { main::client(@$_) } ['Workflow.Read'], ['Workflow.Write'], ['Files.Read', 'Workflow.Read',
     'x'], [],
     ['Files.Read'], ['workflow.read'], ['Workflow.ReadAll'], ['xWorkflow.Read'], ['WorkflowxRead'],
     ['x\"Workflow.Read'],
     ['Workflow.Read']]
--- request eval
[(main::list('page_size=25&category=general')) x 10, "GET $main::API/progress/zgaug"]
--- response_body_like eval
[('"code":0,.*"GXEiV"') x 3,
 ('^\{"code":40089,"msg":"Insufficient scope: Workflow\.Read","correlation_id":"[0-9a-f-]{36}"\}$') x 7,
 '^\{"code":0,"data":\{\},"msg":""\}$']



=== scopes bind clients of OAuth only, and a client has none unless it says so
--- more_headers eval
[main::bearer(scopes => '[]'), main::bearer(client_id => '"app"'), main::bearer(client_id => '""',
 scopes => '["Files.Read"]'),
 main::bearer(client_id => '"app"', scopes => '"Workflow.Read"')]
--- request eval
[(main::list('page_size=25&category=general')) x 4]
--- response_body_like eval
['"code":0,', '"code":40089,', '"code":0,', '"code":40089,']



=== a client of OAuth needs another scope for a cancel; what is there it does not learn
--- more_headers eval
[map { main::client(@$_) } ['Workflow.Read'], [], ['Workflow.Read'], ['Workflow.Read'],
     ['Workflow.Write']]
--- request eval
[map { "DELETE $main::API/download/$_" } qw(2GpUq 2GpUq zvJig %21 2GpUq)]
--- response_json eval
[(main::failure(40089, 'Insufficient scope: Workflow.Write')) x 4, '{"code":0,"msg":""}']
--- flag
2GpUq null
2GpUq null
2GpUq null
2GpUq null
2GpUq true



=== scopes are checked before parameters
--- more_headers eval
main::client('Files.Read')
--- request
GET /cloudreve/api/v4/workflow?page_size=x
--- response_json eval
main::failure(40089, 'Insufficient scope: Workflow.Read')



=== the client's correlation id comes back, in lower case
--- more_headers eval
["X-Cr-Correlation-Id: b4351ecc-ee1a-4455-bc94-2c3dbcc58538",
 "x-cr-correlation-id: B4351ECC-EE1A-4455-BC94-2C3DBCC58538"]
--- request eval
[(main::list('page_size=25&category=general')) x 2]
--- response_json eval
[(main::failure(401, 'Login required', 'b4351ecc-ee1a-4455-bc94-2c3dbcc58538')) x 2]



=== a correlation id that is no UUID is not used
--- more_headers eval
[map { "X-Cr-Correlation-Id: $_" } '', 'x', 'b4351ecc-ee1a-4455-bc94-2c3dbcc5853',
     'b4351ecc-ee1a-4455-bc94-2c3dbcc585380',
     'g4351ecc-ee1a-4455-bc94-2c3dbcc58538', 'b4351ecc-ee1a-4455-bc94_2c3dbcc58538',
     '"],"code":0,"x":["']
--- request eval
[(main::list('page_size=25&category=general')) x 7]
--- response_json eval
[(main::login_required()) x 7]
--- fresh



=== every kind of error has the correlation id, but those of parameters; successes have none
--- more_headers eval
[map { "X-Cr-Correlation-Id: b4351ecc-ee1a-4455-bc94-2c3dbcc58538\n$_" } (main::bearer()) x 7,
     main::bearer(token_type => '"refresh"'), main::client()]
--- request eval
[map({ main::list($_) } 'page_size=25&category=general&next_page_token=x', 'page_size=x',
 'page_size=25', 'page_size=25&category=general'),
 "GET $main::API/progress/!", "DELETE $main::API/download/zvJig",
 "DELETE $main::API/download/2GpUq",
 (main::list('page_size=25&category=general')) x 2]
--- response_body_like eval
my $id = ',"correlation_id":"b4351ecc-ee1a-4455-bc94-2c3dbcc58538"}$';
["^{\"code\":50001,\"msg\":\"[^\"]*\"$id", '^\{"code":40001,"msg":"[^"]*"\}$',
 '^\{"code":40001,"msg":"[^"]*"\}$',
 '^\{"code":0,"data":.*\},"msg":""\}$', "^{\"code\":40001,\"msg\":\"[^\"]*\"$id",
 "^{\"code\":404,\"msg\":\"[^\"]*\"$id",
 '^\{"code":0,"msg":""\}$', "^{\"code\":40020,\"msg\":\"[^\"]*\"$id",
 "^{\"code\":40089,\"msg\":\"[^\"]*\"$id"]



=== the headers of all responses, with status 200
--- more_headers eval
[(main::bearer()) x 6, '', main::bearer(token_type => '"refresh"'), main::client()]
--- request eval
[map({ main::list($_) } 'page_size=25&category=general', 'page_size=x',
 'page_size=25&category=general&next_page_token=x'),
 "GET $main::API/progress/J8Jtp", "DELETE $main::API/download/2GpUq",
 "DELETE $main::API/download/zvJig",
 (main::list('page_size=25&category=general')) x 3]
--- error_code eval
[(200) x 9]
--- response_headers eval
[("Content-Type: application/json; charset=utf-8\nCache-Control: private, no-cache\n!WWW-Authenticate") x 9]



=== HEAD: the headers, and no body
--- request eval
["HEAD $main::API?page_size=25&category=general", "HEAD $main::API?page_size=x"]
--- response_headers eval
["Content-Type: application/json; charset=utf-8\nCache-Control: private, no-cache",
 "Content-Type: application/json; charset=utf-8\nCache-Control: private, no-cache\nContent-Length: 38"]
--- response_body eval
['', '']



=== a cancel is recorded for a download that waits, runs or is suspended, once and again
--- put eval
main::tasks([1, 'q1', 'remote_download', 'queued'], [2, 'p2', 'remote_download', 'processing'],
            [3, 's3', 'remote_download', 'suspending'], [4, 'n4', 'remote_download'])
--- request eval
[map({ "DELETE $main::API/download/$_" } qw(q1 p2 s3 n4 q1)),
 main::list('page_size=10&category=downloading')]
--- response_body_like eval
[('^\{"code":0,"msg":""\}$') x 5,
 '"n4"[^{}]*"status":"queued".*"s3"[^{}]*"status":"suspending".*"p2"[^{}]*"status":"processing".*"q1"[^{}]*"status":"queued"']
--- flag
q1 true
p2 true
s3 true
n4 true
q1 true
q1 true



=== a download that has ended, and a task that is not there or somebody else's, is not found
--- put eval
main::tasks([1, 'e1', 'remote_download', 'error'], [2, 'c2', 'remote_download', 'canceled'],
            [3, 'f3', 'remote_download', 'completed'], [4, 'a4', 'extract_archive', 'completed'])
. "\n= cloudreve vRHn\n" . main::one_task(5, 'o5', 'remote_download', 'queued')
--- request eval
[map { "DELETE $main::API/download/$_" } qw(e1 c2 f3 a4 o5 zvJig)]
--- response_json eval
[(main::failure(404, 'Task not found')) x 6]
--- flag
e1 null
c2 null
f3 null
a4 null
o5 null
zvJig null
--- fresh



=== a cancel of a running task that is no download succeeds, and nothing happens
--- put eval
main::tasks([1, 'a1', 'extract_archive', 'processing'], [2, 'm2', 'media_meta', 'queued'])
--- request eval
[map({ "DELETE $main::API/download/$_" } qw(a1 m2)), main::list('page_size=10&category=general')]
--- response_body_like eval
[('^\{"code":0,"msg":""\}$') x 2, '"a1"[^{}]*"status":"processing"']
--- flag
a1 null
m2 null
a1 null



=== the progress of tasks that run, of any type, and of those that have none
--- put
= cloudreve VrFV
a1 {"number":1,"type":"create_archive","status":"processing","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","progress":{"archive_count":{"total":3,"current":1,"identifier":""},"archive_size":{"total":12345678901234567890,"current":1.50,"identifier":"x"}}}
m2 {"number":2,"type":"media_meta","status":"queued","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}
f3 {"number":3,"type":"import","status":"processing","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z","progress":{"upload":{"total":3,"current":3,"identifier":""}}}
f3 {"status":"completed","progress":null}
--- request eval
[map { "GET $main::API/progress/$_" } qw(a1 m2 f3 zvJig)]
--- response_body eval
['{"code":0,"data":{"archive_count":{"total":3,"current":1,"identifier":""},"archive_size":{"total":12345678901234567890,"current":1.50,"identifier":"x"}},"msg":""}',
 ('{"code":0,"data":{},"msg":""}') x 3]
--- response_headers eval
[("Content-Type: application/json; charset=utf-8\nCache-Control: private, no-cache") x 4]



=== an id that is none: 40001, with the correlation id here
--- request eval
[map({ "GET $main::API/progress/$_" } '!', '%20', 'a-b', '2GpUq%0A', '%E6%96%87', '%FF', 'x' x 65,
 'x' x 300),
 map { "DELETE $main::API/download/$_" } '!', '2GpUq;']
--- response_json eval
[(main::failure(40001, 'Failed to parse object ID')) x 10]
--- flag eval
"2GpUq null\n" x 10
--- fresh



=== login is required before an id is looked at
--- more_headers
--- request eval
["GET $main::API/progress/!", "DELETE $main::API/download/!"]
--- response_json eval
[(main::login_required()) x 2]



=== all else of /workflow stays with the application, login or not
--- more_headers
--- config eval
main::location($main::API, 'tasks_fallback @app;') . 'location @app { return 203 "$request_method $uri"; }'
--- request eval
["POST $main::API/archive", "POST $main::API/extract", "POST $main::API/download",
 "PATCH $main::API/download/2GpUq",
 "GET $main::API/2GpUq", "GET $main::API/", "POST $main::API", "GET $main::API/download/2GpUq",
 "DELETE $main::API/progress/2GpUq",
 "GET $main::API/progress", "DELETE $main::API/download/"]
--- error_code eval
[(203) x 11]
--- response_body eval
my $p = $main::API;
["POST $p/archive", "POST $p/extract", "POST $p/download", "PATCH $p/download/2GpUq",
 "GET $p/2GpUq", "GET $p/", "POST $p",
 "GET $p/download/2GpUq", "DELETE $p/progress/2GpUq", "GET $p/progress", "DELETE $p/download/"]



=== with a fallback, what the API serves is not the application's
--- config eval
main::location($main::API, 'tasks_fallback @app;') . 'location @app { return 203 "$request_method $uri"; }'
--- request eval
[main::list('page_size=25&category=general'), main::list('page_size=x'),
 "GET $main::API/progress/zvJig",
 "DELETE $main::API/download/zvJig"]
--- error_code eval
[(200) x 4]
--- response_body_like eval
['"GXEiV"', '"code":40001', '"code":0', '"code":404']



=== without an application, other paths and methods are errors of the same shape
--- request eval
["GET $main::API/2GpUq", "POST $main::API", "PATCH $main::API/download/2GpUq"]
--- error_code eval
[404, 405, 405]
--- response_json eval
[main::failure(404, 'Not found'), (main::failure(405, 'Method not allowed')) x 2]
--- response_headers eval
["!Allow", "Allow: GET, HEAD", "Allow: DELETE"]



=== a store that cannot be reached: 200 and code 50001, and login is required before
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- more_headers eval
[(main::bearer()) x 3, '', main::bearer()]
--- request eval
[main::list('page_size=25&category=general'), "GET $main::API/progress/2GpUq",
 "DELETE $main::API/download/2GpUq",
 (main::list('page_size=x')) x 2]
--- error_code eval
[(200) x 5]
--- response_json eval
[(main::failure(50001, 'Failed to query tasks')) x 3, main::login_required(),
 main::bad_parameter('Parameter error')]
