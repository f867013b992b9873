package Tasks::Demo;

# What conf/ ships, under test: the maps and locations of conf/nginx.conf, the
# tasks of conf/samples, and who may ask.  The keys are the tests' own.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);

use Tasks ();
use Tasks::JWT;

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');

our @APIS = qw(omelette cloudreve codex runwisp cyberun);

my $TEAM = '019abc12-4567-7890-abcd-ef1234567891';

my $BRACES = qr/(?<braces> \{ (?: [^{}"'\#]++ | "(?:[^"\\]|\\.)*+"
                   | '(?:[^'\\]|\\.)*+' | \#[^\n]*+ | (?&braces) )*+ \})/x;


# nginx with all of it, as start_nginx(); more options are those of that.

sub start {
    my (%option) = @_;

    my $shipped = Tasks::slurp("$ROOT/conf/nginx.conf");
    my (@maps, @locations);

    push @maps, $1 while $shipped =~ /^ {4}(map [^{]+$BRACES)/mg;
    push @locations, $1 while $shipped =~ /^ {8}(location [^{]+$BRACES)/mg;

    return Tasks::start_nginx(join("\n", @locations, $option{config} // ()),
        http_config   => join("\n", @maps, $option{http_config} // ()),
        root_location => 0,
        files => { (map { ("conf/keys/$_.key" => key($_)) } @APIS),
                   dashboard_files(),
                   %{ $option{files} // {} } });
}


sub dashboard_files {
    return map { ('conf/dashboard/' . basename($_) => Tasks::slurp($_)) }
               glob "$ROOT/conf/dashboard/*";
}


# Puts the tasks of conf/samples, with the functions that they want.

sub put_samples {
    Tasks::load_libraries(Tasks::main_config(), Tasks::api_files());

    Tasks::run_commands(Tasks::slurp($_)) for glob "$ROOT/conf/samples/*.redis";
}


sub key { return "$_[0]-secret" }


# Headers of who may do all that the API has.

sub headers {
    my ($api) = @_;

    return (Authorization => 'Bearer '
                . jwt('{"token_type":"access","sub":"VrFV",' . times_of() . '}',
                      key($api))) if $api eq 'cloudreve';
    return codex_headers('admin') if $api eq 'codex';
    return (Authorization => 'Bearer '
                . jwt('{"iss":"runwisp","aud":"runwisp-api",' . times_of() . '}',
                      key($api))) if $api eq 'runwisp';
    return (Authorization => 'Bearer '
                . jwt(qq({"sub":"ada","teams":["$TEAM"],) . times_of() . '}',
                      key($api)),
            'X-Team-ID' => $TEAM) if $api eq 'cyberun';
    return ();
}


# Of a user of Codex: "reader" may do nothing.

sub codex_headers {
    my ($role) = @_;

    return (Authorization => 'Bearer '
                . jwt('{"sub":"3f8e1c52-6b0d-4b6e-9a57-2d8f0e4c7a11",'
                      . qq("username":"$role","role":"$role",) . times_of() . '}',
                      key('codex')));
}


sub times_of { return '"iat":' . (time - 10) . ',"exp":' . (time + 3600) }


1;
