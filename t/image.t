# The container image: its files, and what it runs, outside of a container.
# With TASKS_FULL=1 the image itself, too, built by buildah on bare systems and
# run, and the compose file, by Docker's engine; as root.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);

use Tasks::Command;
use Tasks::Nginx;
use Tasks::RedisServer;

my $api = '/api/v1/tasks';
my $running;                            # the process that serves
my ($redis, %port);                     # what check_service() needs

chdir dirname(__FILE__) . '/..';

END { kill 'KILL', $running if $running }


sub write_file {
    my ($path, $text) = @_;

    make_path(dirname($path));
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file;
}


# Starts a command, with its output in a new file.

sub start {
    my ($log, @command) = @_;

    $running = fork() // die "fork: $!\n";

    return $running if $running;

    unlink $log;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', $log;
    open STDERR, '>&', \*STDOUT;
    no warnings 'exec';
    exec @command;
    POSIX::_exit(127);
}


# The files.

my $dockerfile = Tasks::slurp('docker/Dockerfile');
my @copied = map { my @words = split; @words[0 .. $#words - 1] }
             $dockerfile =~ /^COPY (?!--from)(.*)/mg;

cmp_ok(scalar @copied, '>', 5, 'the Dockerfile copies files');
ok(-e, "which exist: $_") for @copied;

my ($stop) = $dockerfile =~ /^STOPSIGNAL SIG(\w+)$/m;

for my $ignored (split /\n/, Tasks::slurp('.dockerignore')) {
    ok(!grep({ m{^\Q$ignored\E(/|$)} } @copied), "and are not in $ignored");
}

my $compose = decode_json(output('python3', '-c',
    'import json, yaml; '
    . 'print(json.dumps(yaml.safe_load(open("docker/compose.yaml"))))'));
my ($nginx, $store) = @{ $compose->{services} }{qw(nginx redis)};
my ($kind, $program, @through) = @{ $nginx->{healthcheck}{test} };

is(abs_path("docker/$nginx->{build}{context}"), abs_path('.'),
   'compose: the context');
ok(-f "docker/$nginx->{build}{context}/$nginx->{build}{dockerfile}",
   'and the Dockerfile in it');
is($nginx->{depends_on}{redis}{condition}, 'service_healthy', 'Redis is first');
like($dockerfile, qr/^ENV .*\b\Q$_\E=/m, "the image has $_")
    for keys %{ $nginx->{environment} };
ok($compose->{services}{ $nginx->{environment}{TASKS_REDIS} =~ s/:6379$//r },
   'which names the service');

is($kind, 'CMD', 'the health check is a command');
like($dockerfile, qr{^COPY docker/health.sh \S+/\Q$program\E$}m, 'of the image');

is(output('shellcheck', '-x', glob('docker/*.sh'), 't/chroot.sh',
          't/matrix.sh'), '', 'shellcheck');
ok(-x, "$_ is executable")
    for map { "docker/$_.sh" } qw(entrypoint templates health);


# The entrypoint: scripts, templates, variables.  The command is a stub.

my $dir = tempdir(CLEANUP => 1);
my %environment = (
    TASKS_ENTRYPOINT_DIR        => "$dir/scripts",
    NGINX_ENVSUBST_TEMPLATE_DIR => "$dir/templates",
    NGINX_ENVSUBST_OUTPUT_DIR   => "$dir/conf.d",
    TASKS_REDIS                 => 'redis:1',
);

make_path(map { "$dir/$_" } qw(scripts conf.d temp));
copy('docker/templates.sh', "$dir/scripts/20-envsubst-on-templates.sh");
write_file("$dir/scripts/10-set.envsh", "export TASKS_REDIS=redis:2\n");
write_file("$dir/scripts/30-look.sh", "#!/bin/sh\ncat '$dir/conf.d/a/b.conf'\n");
write_file("$dir/scripts/40-no.sh", "#!/bin/sh\necho wrong\n");
write_file("$dir/templates/a/b.conf.template",
           '${TASKS_REDIS} $TASKS_REDIS $host ${uri} $TASKS_REDISX $1 $$' . "\n");
write_file("$dir/templates/c.conf", "no template\n");
write_file("$dir/bin/nginx", "#!/bin/sh\necho \"command: \$*\"\n");
chmod 0755, "$dir/bin/nginx", map { "$dir/scripts/$_" }
    qw(20-envsubst-on-templates.sh 30-look.sh);

sub entrypoint {
    my ($own, @command) = @_;

    local %ENV = (%ENV, %environment, %$own);

    return output('docker/entrypoint.sh',
                  @command ? @command : ("$dir/bin/nginx", '-e', 'a b'));
}

my $text = entrypoint({});

is($? >> 8, 0, 'the entrypoint succeeds');
like($text, qr/10-set.*20-envsubst.*30-look.*40-no\.sh is not executable/s,
     'scripts run in their order');
unlike($text, qr/wrong/, 'if they may');
like($text, qr/^redis:2 redis:2 \$host \$\{uri\} \$TASKS_REDISX \$1 \$\$$/m,
     'the variables that there are are replaced');
ok(!-e "$dir/conf.d/c.conf", 'what is no template stays where it is');
like($text, qr/^command: -e a b$/m, 'then comes the command');

$text = entrypoint({ NGINX_ENTRYPOINT_QUIET_LOGS => 1 }) =~ s/.*40-no.*\n//r;
is($text, <<'TEXT', 'quiet');
redis:2 redis:2 $host ${uri} $TASKS_REDISX $1 $$
command: -e a b
TEXT

like(entrypoint({ NGINX_ENVSUBST_FILTER => '^NO' }),
     qr/^\$\{TASKS_REDIS\} \$TASKS_REDIS /m, 'a filter of names');

entrypoint({ NGINX_ENVSUBST_TEMPLATE_SUFFIX => '.conf' });
is(Tasks::slurp("$dir/conf.d/c"), "no template\n", 'another suffix');

is(entrypoint({}, 'echo', 'x'), "x\n", 'another command: no scripts');

write_file("$dir/scripts/30-look.sh", "#!/bin/sh\nexit 3\n");
$text = entrypoint({});
is($? >> 8, 3, 'a script fails');
unlike($text, qr/^command/m, 'and so there is no command');


# All as in the image, but for paths and ports.

sub installed {
    my ($file) = @_;

    my $text = Tasks::slurp("docker/$file");
    my $load = Tasks::main_config();

    $text =~ s{/tmp/}{$dir/temp/}g;
    $text =~ s{^include /etc/nginx/modules-enabled/.*}{$load}m;

    return $text;
}

write_file("$dir/nginx.conf", installed('nginx.conf'));
write_file("$dir/templates/default.conf.template",
           installed('default.conf.template'));
write_file("$dir/tasks/" . basename($_), Tasks::slurp($_))
    for glob 'conf/apis/*.json';
copy('/etc/nginx/mime.types', "$dir/mime.types");
unlink "$dir/templates/a/b.conf.template", "$dir/conf.d/a/b.conf",
       glob "$dir/scripts/[134]*";

start_redis();

{
    local %ENV = (%ENV, %environment, TASKS_REDIS => "127.0.0.1:$port{redis}",
                  TASKS_PORT => $port{nginx});

    my $user = $> ? '' : ' user root;';

    start("$dir/log", 'docker/entrypoint.sh', Tasks::Nginx::binary(),
          '-e', 'stderr', '-c', "$dir/nginx.conf", '-g', "daemon off;$user");

    check_service("$dir/log", sub { $running },
                  sub { output('docker/health.sh', @_); $? >> 8 });
}


# Redis as in the compose file.  The ports are free ones: a container shares
# them with the host here.

sub start_redis {
    my ($server, @options) = @{ $store->{command} };
    my (undef, $client, @ping) = @{ $store->{healthcheck}{test} };

    is($server, 'redis-server', 'Redis is what runs');
    %port = map { $_ => Tasks::Nginx::free_port() } qw(nginx redis);
    $redis = Tasks::RedisServer->new(@options, '--port', $port{redis});
    is(output($client, '-p', $port{redis}, @ping), "PONG\n", 'and is healthy');
}


# nginx as the image has it, just started: it serves, its health is known, and
# it ends as it should.  $master gives its id, $health the status of a check.

sub check_service {
    my ($log, $master, $health) = @_;

    my $began = time;
    my $response = Tasks::wait_for(sub {
        die "it ended:\n", Tasks::slurp($log) if waitpid $running, WNOHANG;
        eval { http($port{nginx}, 'GET', $api) };
    }, 20, 'nginx');

    note sprintf 'first answer after %.2f s', time - $began;
    is($response->status, 200, 'a list');
    like($response->body, qr/"data": *\[\]/, 'of nothing yet');

    my $pid = $master->();

    like(Tasks::slurp("/proc/$pid/cmdline") =~ tr/\0/ /r, qr/^nginx: master process/,
         'nginx has taken the place of the entrypoint');

    $redis->command('FCALL', 'omelette_put', 1, 'tasks:{omelette}', 7,
                    qw(task_type "ocr" total 1 created_at "2025-03-12T10:00:00"));
    like(http($port{nginx}, 'GET', $api)->body, qr/"id": *7\b/, 'of a task');

    check_health($health);
    check_stop($pid);

    my $text = Tasks::slurp($log);
    like($text, qr{"GET $api HTTP/1\.1" 200 \d+ [\d.]+s list/}, 'the access log');
    unlike($text, qr/\[(?:alert|crit|emerg)\]/, 'nothing bad in the error log');
    is(join("\n", Tasks::Nginx::sanitizer_reports()), '', 'no sanitizer report');
}

sub check_health {
    my ($health) = @_;

    is($health->(), 0, 'it is healthy');
    is($health->(@through), 0, 'through to Redis');

    $redis->pause;
    is($health->(), 0, 'Redis hangs: nginx is healthy');
    isnt($health->(@through), 0, 'but not through to Redis');
    $redis->resume;
}


# Redis lets no writer go on, so that a cancel is on its way.

sub check_stop {
    my ($pid) = @_;

    Tasks::wait_for(sub { http($port{nginx}, 'GET', $api)->status == 200 });
    $redis->command('CLIENT', 'PAUSE', 5000, 'WRITE');

    my $connection = http_connect($port{nginx});
    $connection->send("POST $api/7/cancel HTTP/1.1\r\nHost: localhost\r\n\r\n");
    Tasks::wait_for(sub { $redis->command('CLIENT', 'LIST') =~ / flags=\w*b/ });

    kill $stop, $pid;
    Tasks::wait_for(sub { !eval { http_connect($port{nginx}) } });
    $redis->command('CLIENT', 'UNPAUSE');

    my $response = $connection->response;

    is($response && $response->status, 200, 'stopped: a cancel is answered still');
    is($redis->command('HGET', 'tasks:{omelette}:task:7', 'status'),
       '"cancelled"', 'and done');
    Tasks::wait_for(sub { waitpid $running, WNOHANG }, 10, 'the end');
    is($?, 0, 'then it ends');
    undef $running;
}


# The image itself.

sub buildah {
    return ('buildah', '--root', "$dir/storage", '--runroot', "$dir/run",
            '--storage-driver', 'vfs', @_);
}

sub check_image {
    my ($release) = @_;

    make_base($release);

    my $began = time;
    succeeds("Debian $release: the image is built", buildah(qw(bud
        --isolation chroot --pull=never --format docker
        --build-arg BASE=localhost/base -f docker/Dockerfile -t tasks .)));

    note sprintf "built in %.0f s\n%s", time - $began,
        output(buildah('images', '--format', '{{.Name}} {{.Size}}'));

    my $config = decode_json(output(buildah(qw(inspect --type image tasks))))
        ->{Docker}{config};

    is($config->{StopSignal}, "SIG$stop", 'the signal that stops it');
    is($config->{User}, '33:33', 'its user');

    check_container($config);
    check_compose() if $release == 13;
    output(buildah('rm', '--all'));
    output(buildah('rmi', '--all', '--force'));
}


# Debian's own images leave documentation out.

sub make_base {
    my ($release) = @_;

    my $system = "$dir/base";

    succeeds('a bare system', 'sh', 't/chroot.sh', 'make', $release, $system);
    output('rm', '-rf', map { glob "$system/$_/*" }
        qw(usr/share/doc usr/share/man usr/share/locale usr/share/info
           var/lib/apt/lists var/cache/apt));

    chomp(my $container = output(buildah('from', 'scratch')));

    succeeds('copied', buildah('add', '-q', $container, $system, '/'));
    succeeds('is a base', buildah('commit', '-q', $container, 'base'));
    output(buildah('rm', $container));
    output('sh', 't/chroot.sh', 'remove', $system);
}

sub check_container {
    my ($config) = @_;

    start_redis();

    chomp(my $container = output(buildah('from', '--pull-never', 'tasks')));
    chomp(my $mount = output(buildah('mount', $container)));

    my @run = buildah('run', '--isolation', 'chroot',
                      '--env', "TASKS_REDIS=127.0.0.1:$port{redis}",
                      '--env', "TASKS_PORT=$port{nginx}", $container, '--');
    my ($kind, @health) = @{ $config->{Healthcheck}{Test} };

    is($kind, 'CMD', 'its health check is a command');

    # an engine gives the user the standard output, buildah a pipe of root's
    start("$dir/log", @run, 'sh', '-c', 'exec "$@" >>/tmp/log 2>&1', 'sh',
          @{ $config->{Entrypoint} }, @{ $config->{Cmd} });

    check_service("$mount/tmp/log", sub {
        my ($pid) = Tasks::slurp("$mount/tmp/nginx.pid") =~ /(\d+)/;
        like(Tasks::slurp("/proc/$pid/status"), qr/^Uid:\s33\s33\s33\s33$/m,
             'nginx is not root');
        return $pid;
    }, sub { output(@run, @health, @_); $? >> 8 });
}


# The compose file, by Docker's engine on a bare system.  It reaches no network,
# so that the images are brought along; Redis is Debian's.

my (@inside, @compose);                 # run there: what follows, "compose"

sub check_compose {
    my $system = "$dir/engine";
    my $pid = start_engine($system);

    @inside = ('nsenter', '-t', $pid, '--net');
    @compose = (@inside, '--mount', qw(docker compose -f /compose.yaml));

    succeeds('loaded', @inside, '--mount', 'docker', 'load', '-q', '-i', "/$_")
        for keys %{ $compose->{services} };

    check_data(@compose, qw(up --no-build --pull never --wait));
    check_rights();
    check_end();

    output(@compose, 'down', '--volumes');
    kill 'TERM', $pid;
    waitpid $running, 0;
    undef $running;
    output(qw(find /sys/fs/cgroup -depth -type d -path */tasks_test* -exec rmdir
              {} ;));
    output('sh', 't/chroot.sh', 'remove', $system);
}

sub check_data {
    my (@up) = @_;

    my $get = sub { output(@inside, 'curl', '-s', "http://127.0.0.1:8080$api") };

    succeeds('compose: both are healthy', @up);
    like($get->(), qr/"data": *\[\]/, 'a list, of nothing yet');

    inside(qw(redis redis-cli FCALL omelette_put 1 tasks:{omelette} 7
              task_type "ocr" total 1 created_at "2025-03-12T10:00:00"));
    like($get->(), qr/"id": *7\b/, 'of a task');

    output(@compose, 'kill', 'redis');
    like($get->(), qr/"code": *503\b/, 'Redis is killed');
    output(@compose, 'down');
    succeeds('and all is made anew', @up);
    like($get->(), qr/"id": *7\b/, 'but for the volume');
}

sub inside { return output(@compose, 'exec', '-T', @_) }

sub check_rights {
    my $status = inside('nginx', 'cat', '/proc/1/status');

    like($status, qr/^Uid:\s33\s33\s33\s33$/m, 'nginx is not root');
    like($status, qr/^CapBnd:\s0+$/m, 'has no capability');
    like($status, qr/^NoNewPrivs:\s1$/m, 'and cannot get any');
    like(inside('nginx', 'touch', '/var/tmp/file'), qr/Read-only file system/,
         'where it would write otherwise');
}

sub check_end {
    output(@compose, 'stop');
    is(output(@inside, '--mount', 'docker', 'inspect', '-f',
              '{{.State.ExitCode}}', 'tasks-nginx-1', 'tasks-redis-1'),
       "0\n0\n", 'both end well');

    my $log = output(@compose, 'logs', '--no-log-prefix', 'nginx');

    like($log, qr{"GET $api HTTP/1\.1" 200 \d+ [\d.]+s list/}, 'the access log');
    like($log, qr/gracefully shutting down/, 'gracefully');
    unlike($log, qr/\[(?:alert|crit|emerg)\]/, 'nothing bad in the error log');
    unlike(Tasks::slurp("$dir/engine.log"), qr/level=warning.* deprecated/,
           'nothing is deprecated');
}


# Returns the process id of dockerd, which has a file of each service's image.

sub start_engine {
    my ($system) = @_;

    succeeds("the engine's system", 'sh', 't/chroot.sh', 'make', 13, $system);
    succeeds('has it', 'sh', 't/chroot.sh', 'run', $system, 'sh', '-c',
        'apt-get update -qq && apt-get install -qq -y --no-install-recommends'
        . ' docker.io docker-cli docker-compose iptables iproute2');
    copy('docker/compose.yaml', $system);

    write_file("$dir/redis/Dockerfile", <<'DOCKERFILE');
FROM localhost/base
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends redis-server \
    && install -d -o redis -g redis /data
USER redis
WORKDIR /data
DOCKERFILE
    succeeds('Redis', buildah(qw(bud --isolation chroot --pull=never --format
        docker -t redis), "$dir/redis"));

    succeeds("the image of $_->[0]", buildah('push', '-q', $_->[0],
        "docker-archive:$system/$_->[1]:$_->[2]{image}"))
        for ['tasks', 'nginx', $nginx], ['redis', 'redis', $store];

    my $parent = start("$dir/engine.log", 'sh', 't/chroot.sh', 'engine', $system);

    Tasks::wait_for(sub { output('cat', "$dir/engine.log") =~ /API listen on/ },
                    60, 'the engine');

    return Tasks::slurp("/proc/$parent/task/$parent/children") =~ s/\s//gr;
}

if ($ENV{TASKS_FULL}) {
    succeeds('packages', 'sh', 'docker/build.sh', '--packages', 'buildah',
             'debootstrap');
    check_image($_) for 12, 13;
}

done_testing();
