package Tasks::JSON;

# Two things that tests do with JSON text: cut an object into its members
# without changing a byte of them, and tell how two texts differ in meaning.

use strict;
use warnings;

use B ();
use Encode qw(encode_utf8);
use JSON::PP ();
use Time::HiRes qw(time);

# The grammar of a value, as far as is needed to find its end.
my $VALUE = qr/
    (?<value>
        " (?: [^"\\]++ | \\. )*+ "
      | \[ \s*+ (?: (?&value) \s*+ ,? \s*+ )*+ \]
      | \{ \s*+ (?: (?&value) \s*+ : \s*+ (?&value) \s*+ ,? \s*+ )*+ \}
      | [-+.\w]++
    )
/xs;

my %WILDCARDS = (
    '<any>'    => sub { 1 },
    '<string>' => sub { type_of($_[0]) eq 'string' },
    '<uuid>'   => sub { type_of($_[0]) eq 'string'
                        && $_[0] =~ /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}
                                      -[0-9a-f]{12}$/xi },
    '<now>'    => \&is_now,
);


# The members of an object's text: name, value text, name, value text, ...
# The names are decoded, to UTF-8; the values are not.

sub members {
    my ($text) = @_;

    my @members;

    $text =~ /\G\s*\{\s*/gc or die "not an object: $text\n";

    while ($text =~ /\G("(?:[^"\\]|\\.)*")\s*:\s*$VALUE\s*,?\s*/gc) {
        push @members, encode_utf8(decode($1)), $+{value};
    }

    $text =~ /\G\}\s*\z/gc or die "not an object: $text\n";

    return @members;
}


# Large numbers and fractions stay exact.

sub decode {
    my ($text) = @_;

    return JSON::PP->new->utf8->allow_nonref->allow_bignum->decode($text);
}


# Differences between two texts, each as "$.data[0].id: got 1, expected 2".
# The order of members does not matter; types do: 1 is not "1".  Expected
# strings can be wildcards: <any>, <string>, <uuid>, and <now>, a time within a
# few seconds of now.

sub differences {
    my ($got, $expected) = @_;

    $expected = decode($expected);
    $got = eval { [decode($got)] } or return "not JSON: $@";

    return compare('$', $got->[0], $expected);
}


sub compare {
    my ($path, $got, $expected) = @_;

    my $type = type_of($expected);

    if ($type eq 'string' && $WILDCARDS{$expected}) {
        return if $WILDCARDS{$expected}->($got);

    } elsif ($type eq type_of($got)) {
        return compare_objects(@_) if $type eq 'object';
        return compare_arrays(@_)  if $type eq 'array';
        return if $type eq 'null';
        return if $type eq 'string' ? $got eq $expected : $got == $expected;
    }

    return "$path: got " . show($got) . ', expected ' . show($expected);
}


sub compare_objects {
    my ($path, $got, $expected) = @_;

    my %names = (%$got, %$expected);

    return map {
        !exists $got->{$_}      ? "$path.$_: missing"
      : !exists $expected->{$_} ? "$path.$_: unexpected " . show($got->{$_})
      : compare("$path.$_", $got->{$_}, $expected->{$_})
    } sort keys %names;
}


sub compare_arrays {
    my ($path, $got, $expected) = @_;

    return "$path: got " . @$got . ' elements, expected ' . @$expected
        if @$got != @$expected;

    return map { compare("${path}[$_]", $got->[$_], $expected->[$_]) }
               0 .. $#$expected;
}


sub type_of {
    my ($value) = @_;

    return 'null'    if !defined $value;
    return 'object'  if ref $value eq 'HASH';
    return 'array'   if ref $value eq 'ARRAY';
    return 'boolean' if JSON::PP::is_bool($value);
    return 'number'  if ref $value;

    my $flags = B::svref_2object(\$value)->FLAGS;

    return $flags & B::SVf_POK ? 'string' : 'number';
}


sub show {
    my ($value) = @_;

    return JSON::PP->new->ascii->canonical->allow_nonref->allow_bignum
                   ->encode($value);
}


# A date-time text, or a number of seconds, milli-, micro- or nanoseconds.

sub is_now {
    my ($value) = @_;

    return 0 unless type_of($value) =~ /^(?:string|number)$/;

    my $seconds = $value;

    if ($value =~ /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d(?:\.\d+)?)
                    (?:Z|([-+])(\d\d):?(\d\d))?$/x)
    {
        require Time::Local;
        $seconds = Time::Local::timegm(0, $5, $4, $3, $2 - 1, $1) + $6;
        $seconds -= ($7 eq '+' ? 1 : -1) * ($8 * 3600 + $9 * 60) if $7;

    } elsif ($value !~ /^\d+(?:\.\d+)?$/) {
        return 0;
    }

    $seconds /= 1000 while $seconds > 1e11;

    return abs($seconds - time) < 10;
}


1;
