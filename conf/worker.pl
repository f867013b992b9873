# The demo's simulated worker of Omelette's tasks: a client of Redis like any
# other, in any language.  It adds 200 tasks to those of the documentation, then
# makes a step every second.  conf/demo.sh runs it in the demo's directory, with
# no more modules than perl-base has.

use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX qw(strftime);

my $BASE = 'tasks:{omelette}';
my $FIRST_ID = 100;         # below are the tasks of the documentation
my $KEPT = 300;             # tasks, when older ones are pruned
my $RUNNING = 6;            # at a time
my $WAITING = 12;           # at most

$| = 1;
srand 42;

my $redis = IO::Socket::UNIX->new(Peer => 'run/redis.sock')
    or die "run/redis.sock: $!\n";
my $next_id = $FIRST_ID;


# Redis: a command and its reply.  An error reply ends the worker.

sub redis {
    print $redis '*' . @_ . "\r\n", map { "\$" . length . "\r\n$_\r\n" } @_;
    $redis->flush;

    return reply();
}

sub reply {
    my $line = <$redis> // die "Redis is gone\n";
    my ($type, $rest) = $line =~ /^(.)(.*)\r\n/s;

    die "Redis: $rest\n" if $type eq '-';

    return $rest if $type eq '+' || $type eq ':';
    return undef if $rest < 0;
    return [map { reply() } 1 .. $rest] if $type eq '*';

    read $redis, my $text, $rest + 2;

    return substr $text, 0, $rest;
}


# The contract: a task's values are JSON text.

sub put { return redis('FCALL', 'omelette_put', 1, $BASE, @_) }

# What nobody has written is not there; its default is "pending".
sub status {
    my ($id) = @_;

    my ($status, $created) = @{ redis('HMGET', "$BASE:task:$id",
                                      qw(status created_at)) };

    return 'absent' unless $created;
    return 'pending' unless defined $status;
    return $status =~ s/"//gr;
}

# Ids by an index, newest first.
sub ids {
    return map { /:(\d+)$/ }
           @{ redis('ZRANGE', "$BASE:index:status=$_[0]", 0, -1, 'REV') };
}

# Changes a task if it is in that state: a cancellation that comes in between
# is not overwritten.  Returns whether it was.
sub change {
    my ($id, $state, @values) = @_;

    return redis('FCALL', 'omelette_put_if', 1, $BASE, $id, qq("$state"),
                 @values);
}


# The tasks of the documentation: those that are not there are put as the sample
# file has them, in redis-cli's form: words, some of them 'in quotes'.

sub put_examples {
    open my $in, '<', 'conf/samples/omelette.redis'
        or die "conf/samples/omelette.redis: $!\n";

    while (<$in>) {
        my @words = map { s/^'(.*)'$/$1/r } /'[^']*'|\S+/g;

        redis(@words) if /^FCALL / && status($words[4]) eq 'absent';
    }
}


# The others: what goes in and what comes out, by type.

my %TYPES = (
    search         => ['{"query": "réseaux de neurones", '
                       . '"sources": ["arxiv", "semantic_scholar"]}',
                       '{"papers_found": %d, "imported": %d}'],
    dedup          => ['{"threshold": 0.85}',
                       '{"compared": %d, "duplicates": %d}'],
    crawl          => ['{"urls": 40, "depth": 2}',
                       '{"downloaded": %d, "missing": %d}'],
    ocr            => ['{"paper_id": 314, "language": "en"}',
                       '{"pages": %d, "words": %d}'],
    index          => ['{"collection": "papers"}',
                       '{"chunks": %d, "skipped": %d}'],
    keyword_expand => ['{"keywords": ["大语言模型", "retrieval"]}',
                       '{"added": %d, "rejected": %d}'],
);

my @TYPE_NAMES = sort keys %TYPES;
my @ERRORS = ('"the source did not answer in 30 s"', '"quota exceeded"',
              '"worker lost: \"gpu-2\""');

# Without a zone, as this API has it.
sub when { return strftime('"%Y-%m-%dT%H:%M:%S"', gmtime $_[0]) }

sub new_task {
    my ($created) = @_;

    my $id = $next_id++;
    my $type = $TYPE_NAMES[rand @TYPE_NAMES];

    return ($id, 20 * (1 + int rand 10),
            project_id => 2 + $id % 5, task_type => qq("$type"),
            params => $TYPES{$type}[0], created_at => when($created));
}

sub outcome {
    my ($type, $time) = @_;

    return (status => '"failed"', error_message => $ERRORS[rand @ERRORS],
            completed_at => when($time)) if rand() < 0.12;

    my $result = ($TYPES{$type} // [])->[1] // '{}';

    return (status => '"completed"', completed_at => when($time),
            result => sprintf $result, 10 + rand 90, rand 10);
}

# 200 tasks of the last days: old ones have ended, six run, ten wait.
sub put_samples {
    my $age = 200;

    while ($age--) {
        my $created = time - $age * 1200 - rand 600;
        my ($id, $total, %task) = new_task($created);
        my ($type) = $task{task_type} =~ /(\w+)/;

        if ($age < 10) {
            put($id, %task, total => $total);
            next;
        }

        my $started = $created + 1 + rand 5;

        my %state = $age < 10 + $RUNNING ? (status => '"running"')
                  : $age % 13 == 0       ? (status => '"cancelled"')
                  : outcome($type, $started + 20 + rand 300);

        my $done = $state{status} =~ /completed/ ? $total : int rand $total;

        put($id, %task, %state, started_at => when($started), total => $total,
            progress => $done);
    }
}


# One second of work.

my %mine;                   # tasks that the worker works on

sub step {
    my ($second) = @_;

    my @running = grep { $_ >= $FIRST_ID } ids('running');
    my @waiting = grep { $_ >= $FIRST_ID } ids('pending');

    for my $id (sort keys %mine) {
        my $status = status($id);
        next if $status eq 'running';
        print "task $id is $status: work on it stops\n";
        delete $mine{$id};
    }

    progress($_) for @running;

    start($waiting[-1]) if @running < $RUNNING && @waiting;

    if ($second % 3 == 0 && @waiting < $WAITING) {
        my ($id, $total, %task) = new_task(time);
        put($id, %task, total => $total);
    }

    prune() if $second % 30 == 0;
}

sub start {
    my ($id) = @_;

    $mine{$id} = 1 if change($id, 'pending', status => '"running"',
                             started_at => when(time));
}

sub progress {
    my ($id) = @_;

    my ($done, $total, $type) = @{ redis('HMGET', "$BASE:task:$id",
                                         qw(progress total task_type)) };
    ($type) = ($type // '') =~ /(\w+)/;
    $total //= 0;
    $done = ($done // 0) + 1 + int rand 6;
    $mine{$id} = 1;

    if ($done < $total) {
        change($id, 'running', progress => $done);

    } elsif (change($id, 'running', outcome($type // '', time),
                    progress => $total)) {
        delete $mine{$id};
    }
}

# The documentation's tasks are the oldest ones; those that it takes come back.
sub prune {
    my $removed = redis('FCALL', 'omelette_prune', 1, $BASE, $KEPT);
    print "$removed old tasks are removed\n" if $removed;
    put_examples();
}


put_samples();

open my $loaded, '>', 'run/loaded' or die "run/loaded: $!\n";
close $loaded;

for (my $second = 1; ; $second++) {
    sleep 1;
    step($second);
}
