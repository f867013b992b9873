# The binary package, and "docker/build.sh --install" and "--uninstall".  With
# TASKS_FULL=1 they are tried, as root, on bare systems of each Debian release;
# else the package is only looked at.

use lib 't/lib';
use Tasks ':live';

use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);

use Tasks::Command;

my $name = 'libnginx-mod-http-tasks';
my $module = 'usr/lib/nginx/modules/ngx_http_tasks_module.so';
my $link = 'etc/nginx/modules-enabled/50-mod-http-tasks.conf';

chdir dirname(__FILE__) . '/..';

my $dir = tempdir(CLEANUP => 1);
my @definitions = map { basename($_) } glob 'conf/apis/*.json';


# The package.

succeeds('built', 'sh', 'docker/build.sh', '--deb');

my ($deb) = glob "build/deb/${name}_*.deb";

my ($abi) = output(qw(dpkg-query -W -f ${Provides} nginx)) =~ /(nginx-abi-\S+)/;

like(output('dpkg-deb', '-f', $deb, 'Depends'), qr/(^|, )\Q$abi\E(,|$)/m,
     "it depends on $abi");

succeeds('unpacked', 'dpkg-deb', '-R', $deb, "$dir/package");
is(Tasks::slurp("$dir/package/DEBIAN/conffiles"),
   join('', map { "/etc/nginx/tasks/$_\n" } @definitions),
   'the definitions are configuration');
is(Tasks::slurp("$dir/package/usr/share/nginx/modules-available/"
                . 'mod-http-tasks.conf'),
   "load_module modules/ngx_http_tasks_module.so;\n", 'nginx\'s line');

mkdir "$dir/logs";
write_file("$dir/nginx.conf", <<"CONF");
load_module $dir/package/$module;
pid $dir/nginx.pid;
events { }
http {
    access_log off;
    tasks_store main { server 127.0.0.1; }
    @{[site()]}
}
CONF
succeeds('nginx loads it, and its definitions', nginx_t("$dir/nginx.conf"));

# What the texts there refer to, but for the suites.

my $texts = "$dir/package/usr/share/doc/$name";

for my $text ('README.md', 'conf/apis/README.md') {
    my %files = map { ($_ => 1) } Tasks::slurp("$texts/$text")
                                  =~ /\]\((?!http|t\/)([^)#]+)/g;
    my @missing = grep { !-e dirname("$texts/$text") . "/$_" } sort keys %files;

    cmp_ok(keys %files, '>', 5, "$text refers to files");
    is("@missing", '', 'which are there');
}


# A server of all definitions, below this directory.

sub site {
    my $number = 0;

    return join "\n", 'server {', 'listen 127.0.0.1:8099;', (map {
        $number++;
        "location /$number/ { tasks_pass main;"
        . " tasks_api $dir/package/etc/nginx/tasks/$_; }"
    } grep { $_ ne 'schema.json' } @definitions), '}';
}

sub nginx_t { return ('nginx', '-t', '-e', 'stderr', '-c', @_) }

sub write_file {
    my ($path, $text) = @_;

    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file;
}


# Bare systems.

my $system = "$dir/system";

sub make_system {
    my ($release) = @_;

    succeeds("Debian $release", 'sh', 't/chroot.sh', 'make', $release, $system);
}

sub remove_system { output('sh', 't/chroot.sh', 'remove', $system) }

sub there { return ('sh', 't/chroot.sh', 'run', $system, @_) }

sub build_sh { return there('sh', '/checkout/docker/build.sh', @_) }


# What nginx is made of there, by name; links with where they lead.

sub nginx_files {
    return output('find', (map { "$system/$_" } qw(etc/nginx usr/lib/nginx
                  usr/share/nginx)), glob("$system/usr/share/tasks*"), '!', '-path', '*/share/nginx/src/*',
                  '-printf', '%p %l\n') =~ s/^\Q$system\E//gmr;
}

sub sorted { return [sort split /\n/, $_[0]] }

my $api = <<'CONF';
tasks_store main { server 127.0.0.1; }
server { location /t { tasks_api tasks/omelette.json; tasks_pass main; } }
CONF
my $conf = "$system/etc/nginx/conf.d/tasks.conf";
my $changed = "$system/etc/nginx/tasks/codex.json";

sub change_definition {
    my $text = Tasks::slurp($changed) =~ s/"description": "/$&Ours: /r;
    write_file($changed, $text);

    return $text;
}


# By build.sh, in a checkout.

sub check_build_sh {
    my ($release) = @_;

    make_system($release);
    output('sh', '-c', "mkdir $system/checkout && tar -c --exclude=./build"
           . " --exclude=./.git . | tar -xC $system/checkout");
    output(build_sh('--packages', 'nginx', 'nginx-dev'));
    my $before = nginx_files();

    make_path(dirname("$system/$module"));
    write_file("$system/$module", '');
    like(output(build_sh('--install')), qr/is of no package/,
         'a module file in the way');
    is($? >> 8, 1, 'is not replaced');
    unlink "$system/$module";
    rmdir dirname("$system/$module");

    like(succeeds('--install', build_sh('--install')), qr/test is successful/,
         'nginx -t');
    is(readlink "$system/$link",
       '/usr/share/nginx/modules-available/mod-http-tasks.conf', 'enabled');
    my $installed = nginx_files();

    # a definition that has been changed there, and in the checkout, too

    write_file($conf, $api);
    my $definition = change_definition();
    output('sh', '-c', "echo >>$system/checkout/conf/apis/codex.json");
    succeeds('--install again, and nginx -t with an API', build_sh('--install'));
    unlink $conf;
    is_deeply(sorted(nginx_files()),
              sorted("$installed/etc/nginx/tasks/codex.json.dpkg-dist \n"),
              'changes nothing');
    is(Tasks::slurp($changed), $definition, 'a changed definition stays');

    write_file($conf, $api);
    like(output(build_sh('--uninstall')), qr/may still use the module/,
         '--uninstall with an API configured');
    is($? >> 8, 1, 'fails');
    unlink $conf;

    is_deeply(sorted(nginx_files()),
              sorted("$before/etc/nginx/tasks \n/etc/nginx/tasks/codex.json \n"),
              'all is gone, but the changed definition');
    is(Tasks::slurp($changed), $definition, 'which is as it was');
    like(succeeds('--uninstall again', build_sh('--uninstall')),
         qr/is not installed/, 'does nothing');

    unlink $changed;
    check_readme();
    output('cp', glob("$system/checkout/build/deb/${name}_*.deb"),
           "$dir/$release.deb");
    remove_system();
}


# The commands of README's section, word by word, in its order; and its example.

sub check_readme {
    my ($section) = Tasks::slurp('README.md') =~ /^# Installation\n(.*?)^# /ms;
    my ($example) = $section =~ /^```nginx\n(.*?)^```/ms;
    my @commands = $section =~ /^```sh\n(.*?)^```/gms;

    is(scalar @commands, 4, 'README: --install, --uninstall, --deb, by hand');
    write_file("$system/etc/apt/apt.conf.d/yes", 'APT::Get::Assume-Yes "true";');

    for my $command (@commands) {
        unlink $conf;
        succeeds($command =~ s/\n/; /gr,
                 there('sh', '-ec', "cd /checkout\n$command"));
        next if $command =~ /--uninstall/;

        write_file($conf, $example);
        succeeds('nginx -t with the example', there('nginx', '-t'));
    }
}


# By apt, on a system with neither nginx nor a compiler.

sub check_apt {
    my ($release) = @_;

    my @apt = there(qw(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
                       --no-install-recommends));

    make_system($release);
    output('cp', "$dir/$_.deb", "$system/$_.deb") for 12, 13;
    output(@apt, 'update');

    succeeds('apt-get install', @apt, 'install', "/$release.deb");
    write_file($conf, $api);
    succeeds('nginx -t with an API', there('nginx', '-t'));
    unlink $conf;

    my $other = 25 - $release;
    output(@apt, 'install', "/$other.deb");
    isnt($?, 0, "the package of Debian $other is refused");

    my $definition = change_definition();
    succeeds('apt-get remove', @apt, 'remove', $name);
    succeeds('nginx -t', there('nginx', '-t'));
    ok(!-e "$system/$module", 'the module is gone');
    ok(!-l "$system/$link", 'and not enabled');
    is(Tasks::slurp($changed), $definition, 'configuration stays');

    succeeds('installed again', @apt, 'install', "/$release.deb");
    ok(-l "$system/$link", 'it is enabled again');
    is(Tasks::slurp($changed), $definition, 'with the changed configuration');

    succeeds('apt-get purge', @apt, 'purge', $name);
    succeeds('nginx -t', there('nginx', '-t'));
    unlike(nginx_files(), qr/tasks/, 'nothing is left');
    remove_system();
}


# No address of the maintainers is known.

sub check_lintian {
    my ($changes) = glob "build/deb/${name}_*.changes";

    is(output('lintian', '--allow-root', '--fail-on', 'error,warning',
              '--suppress-tags',
              'bogus-mail-host,bogus-mail-host-in-debian-changelog', $changes),
       '', 'lintian');
}

if ($ENV{TASKS_FULL}) {
    succeeds('packages', 'sh', 'docker/build.sh', '--packages', 'debootstrap',
             'lintian');
    check_lintian();
    check_build_sh($_) for 12, 13;
    check_apt($_) for 12, 13;
}

done_testing();
