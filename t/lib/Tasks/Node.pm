package Tasks::Node;

# Programs of t/node, which node runs with packages from npm.  These are
# installed once, into build/node, in the versions of t/node/package-lock.json;
# suites that run at the same time wait for each other there.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');
my $SOURCE = "$ROOT/t/node";
my $DIRECTORY = "$ROOT/build/node";

my $installed;


# The directory with the programs and their packages.

sub directory {
    return $DIRECTORY if $installed;

    make_path($DIRECTORY);
    open my $lock, '>', "$DIRECTORY/lock" or die "$DIRECTORY/lock: $!\n";
    flock $lock, LOCK_EX or die "flock: $!\n";

    copy_new($_) for glob "$SOURCE/* $SOURCE/.npmrc";
    install();

    $installed = 1;

    return $DIRECTORY;
}


sub copy_new {
    my ($file) = @_;

    my $target = "$DIRECTORY/" . basename($file);

    return if -e $target && contents($target) eq contents($file);

    copy($file, $target) or die "$target: $!\n";
}


sub install {
    my $stamp = "$DIRECTORY/installed";
    my $sum = sha256_hex(contents("$DIRECTORY/package-lock.json"));

    return if -e $stamp && contents($stamp) eq $sum;

    run('npm', 'ci', '--prefix', $DIRECTORY);

    open my $out, '>', $stamp or die "$stamp: $!\n";
    print $out $sum;
    close $out or die "$stamp: $!\n";
}


# Runs a command and returns what it prints, with its complaints on our standard
# error; dies if it fails.

sub run {
    my (@command) = @_;

    open my $in, '-|', @command or die "$command[0]: $!\n";
    binmode $in;

    local $/;
    my $output = <$in>;

    close $in or die "$command[0] failed, status $?:\n$output";

    return $output;
}


# A program of t/node.

sub program {
    my ($name, @arguments) = @_;

    return run('node', directory() . "/$name", @arguments);
}


sub contents {
    my ($file) = @_;

    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;

    return <$in>;
}


1;
