# conf/dashboard in a real browser, as conf/nginx.conf serves it: what is seen,
# done by mouse and by keyboard, and asked for; with Redis stopped and back; for
# an API that it has never heard of.  The page is what is tested: run.sh leaves
# it out of the pass with sanitizers.

use utf8;

use lib 't/lib';
use Tasks ':live';

use Digest::SHA;
use JSON::PP;
use Time::HiRes qw(sleep time);

use Tasks::Browser;
use Tasks::Demo;
use Tasks::Jobs;

my $BASE = 'tasks:{omelette}';
my $ROWS = '[...document.querySelectorAll("#table tbody tr")]';
my $EVERY = 0.2;                # s between two polls

my $json = JSON::PP->new->allow_nonref;

fill_redis();

my $nginx = Tasks::Demo::start(
    files  => { jobs_file() },
    config => jobs_location('/jobs', 'main') . <<'END');
        location = /openapi/jobs.json {
            tasks_api     apis/jobs.json;
            tasks_openapi /jobs;
        }
END
my $origin = 'http://127.0.0.1:' . $nginx->port;
my $browser = Tasks::Browser->new;


# The samples; jobs; and a task whose texts would be elements, if they were
# taken for HTML.

sub fill_redis {
    Tasks::Demo::put_samples();
    load_jobs();
    put_job("job-$_", n => $_, created => sprintf('2025-01-01T00:00:%02d', $_),
            status => $_ % 2 ? 'running' : 'done')
        for 1 .. 25;
    put(50, project_id => 5, task_type => '<b>bold</b>', status => 'running',
        progress => 2, total => 10, created_at => '2025-03-13T10:00:00',
        params => { '<img src=x onerror=alert(1)>' => '<script>x</script>' });
}

sub put {
    my ($id, %values) = @_;

    return redis('FCALL', 'omelette_put', 1, $BASE, $id,
                 map { $_ => $json->encode($values{$_}) } sort keys %values);
}

sub status_of { return redis('HGET', "$BASE:task:$_[0]", 'status') }


sub open_page {
    my ($address, %option) = @_;

    return $browser->open("$origin/dashboard/?every=$EVERY&openapi=/openapi/"
                          . $address, \%option);
}

sub rows { return join ' ', $browser->evaluate("$ROWS.map(r => r.dataset.id)") }

sub wait_for_rows {
    my ($rows, $name) = @_;

    my $got = eval {
        $browser->until("$ROWS.map(r => r.dataset.id).join(' ') === '$rows'");
        $rows;
    } // rows();

    is($got, $rows, $name);
}

sub in_page { return $browser->evaluate(@_) }

sub text { return in_page("document.querySelector('$_[0]').innerText") }

sub wait_for_text {
    my ($selector, $text, $name) = @_;

    my $got = eval {
        $browser->until('(e => e?.checkVisibility() && e.innerText.includes('
                        . $json->encode($text)
                        . "))(document.querySelector('$selector'))");
    };

    ok($got, $name)
        or diag(eval { text($selector) } // 'there is no such element');
}

# True if an element is there and shown.

sub shows {
    my ($selector) = @_;

    return in_page(
        "document.querySelector('$selector')?.checkVisibility() ?? false");
}

sub cell { return qq(tr[data-id="$_[0]"] .$_[1]) }

sub bar { return in_page("document.querySelector('" . cell($_[0], 'progress')
                         . " progress').value") }

# What has the focus: a task of the list by its id.

sub focus { return in_page('document.activeElement.title
                            || document.activeElement.id') }

sub previous_page { $browser->click('.pages button:first-of-type') }
sub next_page     { $browser->click('.pages button:last-of-type') }

# What the browser has complained of, but for the statuses that were provoked.

sub no_problems {
    my ($name, @statuses) = @_;

    my $expected = join '|', @statuses, 'none';

    my @problems = grep {
        !/^Failed to load resource: .* status of (?:$expected) /
    } $browser->problems;

    is(join("\n", @problems), '', "$name: the console is quiet");
}

sub is_accessible {
    my ($name) = @_;

    is(join("\n", grep { /^(?:serious|critical)/ } $browser->axe), '',
       "$name: axe finds nothing serious");
}


# A list, and a task of it.

my $headers = open_page('omelette.json');

like($headers->{'content-security-policy'},
     qr/^default-src 'none'; script-src 'self'/, 'a strict policy');
wait_for_rows('50 43 44 42 45', 'the tasks of Redis, in its order');
is(text(cell(42, 'state')), 'running', 'their states');
is(bar(42), 30, 'how far they are');
is(text(cell(42, 'progress')), '30 / 100', 'and in words');
like(text(cell(42, 'time')), qr/^\d+ yr ago$/, 'and how old');
is(in_page("$ROWS.filter(r => r.querySelector('button'))"
                      . ".map(r => r.dataset.id).join(' ')"), '50 43 42',
   'a cancel is offered for those that it would change');

is_accessible('a list');
$browser->scheme('dark');
is_accessible('a list, dark');

$browser->click(cell(44, 'text'));
$browser->until('document.querySelector("#task").open');
wait_for_text('#task-data', '"papers_found": 15', 'a task with its result');
like(text('#task-data'), qr/"query": "machine learning"/, 'and its parameters');
like(text('#task-facts'), qr/Completed\s+2025-03-12 10:02:30 \d+ yr ago/,
     'and times');
ok(!shows('#task-cancel'), 'no cancel of what is completed');
like(in_page('location.hash'), qr{^#/omelette/44}, 'it has an address');
is_accessible('a task, dark');
$browser->scheme('light');
is_accessible('a task');

$browser->press('Escape');
ok(!shows('#task'), 'Escape closes it');
is(focus(), '44',
   'and the focus is back in the list');

$browser->click(cell(50, 'text'));
wait_for_text('#task-data', '<script>x</script>',
              'what is HTML is shown as text');
is(text(cell(50, 'text')), '<b>bold</b>', 'in the list, too');
is(in_page('document.querySelectorAll("#task img, #table b").length'),
   0, 'and is nothing else');
$browser->click('#task-close');
no_problems('a list and a task');


# Filters.

$browser->requests;
$browser->fill('#field-status', 'running');
wait_for_rows('50 42', 'a filter by text');
ok((grep { $_->{target} =~ /\?.*status=running/ } $browser->requests),
   'the server has filtered');
$browser->fill('#field-project_id', '1');
wait_for_rows('42', 'and by a number');
like(in_page('location.hash'), qr/status=running/,
     'they are in the address');
$browser->fill('#field-project_id', '77');
wait_for_text('#none', 'No tasks', 'none');
$browser->click('.filters button');
wait_for_rows('50 43 44 42 45', 'no filters');
$browser->fill('#field-project_id', '99999999999999999999');
wait_for_text('#problem-text', '422: Input should be a valid integer',
              'what is wrong, in the words of the server');
$browser->click('.filters button');
wait_for_rows('50 43 44 42 45', 'and right again');
no_problems('filters', 422);


# It lives: what changes in Redis is seen, and nothing is sent again otherwise.

in_page('window.sameness = 1');
put(42, progress => 60);
wait_for_text(cell(42, 'progress'), '60 / 100', 'progress is seen');
is(bar(42), 60, 'as a bar');

put(43, status => 'completed');
wait_for_text(cell(43, 'state'), 'completed', 'a new state, too');
wait_for_text('#news', 'Task 43 is completed', 'and it is said');
ok(!shows(cell(43, 'action button')), 'there is nothing to cancel any more');

my $seen = length $nginx->access_log;
wait_for(sub { substr($nginx->access_log, $seen) =~ m{omelette/.* 304 0} }, 5,
         'a 304');
my @polls = map { /" (\d+) / } grep { m{GET /omelette/} }
            split /\n/, substr $nginx->access_log, $seen;
is(join(' ', grep { $_ != 304 } @polls), '', 'what has not changed is a 304');
is($browser->most, 1, 'one request at a time');


# A cancel.

$browser->click(cell(42, 'action button'));
ok(shows('#cancel'), 'it asks first');
like(text('#cancel'), qr/Cancel task 42\?\s+It is running/, 'and says what');
is_accessible('the question');
$browser->press('Escape');
ok(!shows('#cancel'), 'no is an answer');
is(status_of(42), '"running"', 'nothing is done');

$browser->click(cell(42, 'action button'));
$browser->click('#cancel-yes');
wait_for_text(cell(42, 'state'), 'cancelled', 'yes: the page has it');
is(status_of(42), '"cancelled"', 'and Redis has it');
wait_for_text('#toast', 'Task 42: Task cancelled',
              'in the words of the server');
is(in_page('window.sameness'), 1, 'the page is the same');

# what the page does not know yet

$browser->click('#pause');
put(50, status => 'completed');
$browser->click(cell(50, 'action button'));
$browser->click('#cancel-yes');
wait_for_text('#cancel-problem',
              'Not cancelled: Cannot cancel task in completed state.',
              'too late: in the words of the server');
$browser->press('Escape');
$browser->click('#pause');
wait_for_text(cell(50, 'state'), 'completed', 'and its state');
no_problems('a cancel', 400);


# Redis is away, and back.

$browser->click(cell(44, 'text'));
wait_for_text('#task-data', '"papers_found"', 'a task is looked at');
redis_server()->stop;
wait_for_text('#problem-text', '503: The task store is unavailable',
              'the error, in the words of the server');
is(rows(), '50 43 44 42 45', 'the list is still there');
wait_for_text('#stale', 'Stale: as of', 'and said to be stale');
wait_for_text('#live', 'Trying again in', 'it will try again');
wait_for_text('#task-problem', 'Of the task: The task store is unavailable',
              'of the task, too');

$browser->requests;
@polls = ();
wait_for(sub { push @polls, grep { $_->{target} =~ /\?/ } $browser->requests;
               @polls > 3 }, 30, 'tries');
my @pauses = map { $polls[$_]{at} - $polls[$_ - 1]{at} } 1 .. $#polls;
cmp_ok($pauses[-1], '>', 1.3 * $pauses[0],
       "after longer and longer times: @pauses");

is_accessible('an error');

redis_server()->start;
fill_redis();
wait_for_rows('50 43 44 42 45', 'it is back by itself');
$browser->until('document.querySelector("#problem").hidden');
ok(!shows('#stale'), 'and is not stale');
wait_for_text(cell(42, 'state'), 'running', 'but new');
$browser->until('!document.querySelector("#task-problem").innerText');
$browser->press('Escape');
no_problems('Redis away', 503);


# A page that nobody sees asks seldom, and at once when it is seen.

in_page('Object.defineProperty(document, "hidden",
    { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))');
sleep 5 * $EVERY;
$browser->requests;
sleep 4 * $EVERY;
is(scalar(() = $browser->requests), 0, 'hidden: nothing is asked for');
in_page('Object.defineProperty(document, "hidden", { value: false });
    document.dispatchEvent(new Event("visibilitychange"))');
wait_for(sub { () = $browser->requests }, 5, 'a request');
pass('seen: it is');


# By keyboard alone.

open_page('omelette.json');
wait_for_rows('50 43 44 42 45', 'by keyboard: a list');
my $tabs = 0;
$browser->press('Tab')
    while $tabs++ < 12
          && !in_page('document.activeElement.matches("#table *")');
is(focus(), '50', 'Tab leads to it');
isnt(in_page('getComputedStyle(document.activeElement).outlineStyle'),
     'none', 'the focus is seen');
$browser->press(('ArrowDown') x 3);
is(focus(), '42', 'arrows move in it');
$browser->press('Enter');
wait_for_text('#task', '"query"', 'Enter opens a task');
is(focus(), 'task-title', 'with the focus');
$browser->press('Escape');
is(focus(), '42', 'Escape leads back');
$browser->press('End', 'Home', ('ArrowDown') x 3, 'ArrowRight', 'Enter');
ok(shows('#cancel'), 'the button in the row');
$browser->press('Tab', 'Enter');
wait_for_text(cell(42, 'state'), 'cancelled', 'it is cancelled');
is(status_of(42), '"cancelled"', 'in Redis, too');
no_problems('by keyboard');


# Pages: by number, with a credential that only this API gets; by offset; by
# cursor, of an API that wants one, and of one that no file of conf/dashboard
# knows.

sub give_credential {
    my ($api) = @_;

    my %header = Tasks::Demo::headers($api);

    $browser->click('#problem-credential');
    $browser->fill('#credential-value',
                   "Authorization: $header{Authorization}");
    is_accessible('the credential') if $api eq 'codex';
    $browser->press('Enter');
}

my $key = 'sk-of-the-team';
redis('HSET', 'tasks:credential:' . Digest::SHA::sha256_hex($key),
      team => '019abc12-4567-7890-abcd-ef1234567891',
      expires => int(time) + 600);

open_page('cyberun.json');
wait_for_text('#problem-text', '401: missing or invalid credentials',
              'pages: 401');
is((grep { $_->{headers}{authorization} } $browser->requests), 0,
   'no credential unless it is given');
$browser->click('#problem-credential');
$browser->fill('#credential-value', $key);
$browser->press('Enter');
wait_for_text('#summary', '20 of 42 tasks', 'the first page');
wait_for_text('.where', '1–20 of 42', 'which one it is');
my $first = rows();
next_page();
wait_for_text('.where', '21–40 of 42', 'the next one');
unlike($first, qr/@{[(split ' ', rows())[0]]}/, 'has other tasks');
next_page();
wait_for_text('.where', '41–42 of 42', 'the last one');
is(in_page('document.querySelector(".pages button:last-of-type").ariaDisabled'),
   'true', 'has no next one');
$browser->choose('#field-status', 'running');
wait_for_text('#summary', 'running', 'a filter of values');
wait_for_text('.where', '1–', 'begins at the first page');
is_accessible('pages');
no_problems('pages by number', 401);

$browser->requests;
$browser->choose('#api', '/openapi/codex.json');
wait_for_text('#problem-text', '401: Missing or invalid', 'another API');
is((grep { $_->{target} =~ m{^/codex/} && $_->{headers}{authorization} }
    $browser->requests), 0, 'does not get the credential');
give_credential('codex');
wait_for_text('#summary', '8 tasks', 'it has its own');
no_problems('another API', 401);

open_page('runwisp.json#/runs?limit=3&status=running,pending');
wait_for_text('#problem-text', '401', 'two collections: 401');
give_credential('runwisp');
wait_for_text('.where', '1–3 of 4', 'by offset, several values of a filter');
next_page();
wait_for_text('.where', '4–4 of 4', 'the next page');
previous_page();
wait_for_text('.where', '1–3 of 4', 'and back');
$browser->click(cell('01ARZ3NDEKTSV4RRFFQ69G5FAV', 'text'));
$browser->click('#task-cancel');
$browser->click('#cancel-yes');
wait_for_text('#toast', 'Run stop signal sent', 'its own way to cancel');
$browser->click('#lists a:first-child');
wait_for_rows('alpha example mail-queue web zeta', 'the other collection');
is(in_page('document.querySelectorAll("#table button").length'), 0,
   'where there is no cancel');
no_problems('two collections', 401);

open_page('cloudreve.json#/cloudreve?page_size=10',
          width => 375, height => 812);
wait_for_text('#problem-text', 'Login required', 'an error with status 200');
give_credential('cloudreve');
wait_for_text('#summary', '10 tasks', 'by cursor');
next_page();
wait_for_text('#summary', '2 tasks', 'the next page');
$browser->choose('#field-category', 'downloading');
wait_for_text('#summary', '3 tasks', 'a choice');
cmp_ok(in_page('document.documentElement.scrollWidth'), '<=', 375,
       'a phone: nothing is too wide');
in_page('document.body.style.letterSpacing = "1px"');
cmp_ok(in_page('document.documentElement.scrollWidth'), '<=', 375,
       'nor in a font that is wider');
in_page('document.body.style.letterSpacing = ""');
is_accessible('a phone');
$browser->scheme('dark');
is_accessible('a phone, dark');
$browser->click(cell('jAMaCN', 'text'));
wait_for_text('#task-data', '"download_speed"', 'a task on a phone');
is_accessible('a task on a phone, dark');
no_problems('by cursor');

open_page('jobs.json#/jobs/job-7');
wait_for_text('#summary', '20 tasks', 'an API of which nobody has heard');
wait_for_text('#task', 'Task job-7', 'the address of a task');
$browser->press('Escape');
is(focus(), 'job-7', 'Escape leads to the list');
is(in_page('document.querySelectorAll("#table button").length'), 10,
   'a cancel where its rule allows it');
next_page();
wait_for_rows('job-5 job-4 job-3 job-2 job-1', 'its next page');
previous_page();
wait_for_text('#summary', '20 tasks', 'and back');
no_problems('an API of which nobody has heard');

open_page('https://127.0.0.1/');
wait_for_text('#start-text', 'There is nothing to show', 'what is no document');
is_accessible('nothing to show');

done_testing();
