package Tasks::JWT;

# Makes JSON Web Tokens for tests, good ones and others, and keys to sign them.
#
#   jwt($claims, $key)                      HS256
#   jwt($claims, $key, alg => 'HS512', header => '{...}')
#   jws($text, $signature)                  of parts that are made by hand
#   signature('ES256', $text, $key)         its bytes
#   new_key('ES256')                        the files of a private and a public
#                                           key, which go when the test ends
#
# Claims and header are JSON text, sent as it stands.  $key is the secret; with
# another algorithm than HS..., the file of a private key, and openssl signs.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512);
use Exporter qw(import);
use File::Temp qw(tempdir tempfile);
use MIME::Base64 qw(encode_base64url);

our @EXPORT = qw(claims_json jwt jws signature new_key base64url);

my %HMAC = (HS256 => \&hmac_sha256, HS384 => \&hmac_sha384,
            HS512 => \&hmac_sha512);

# How openssl signs, but for the key and the text; PS256, ES384 and "RS1", which
# is RSA with SHA-1, are for tokens that must be refused.
my %SIGN = (
    RS1   => [qw(dgst -sha1 -sign)],
    RS256 => [qw(dgst -sha256 -sign)],
    PS256 => [qw(dgst -sha256 -sigopt rsa_padding_mode:pss
                 -sigopt rsa_pss_saltlen:digest -sign)],
    ES256 => [qw(dgst -sha256 -sign)],
    ES384 => [qw(dgst -sha384 -sign)],
    EdDSA => [qw(pkeyutl -sign -rawin -inkey)],
);

my %GENERATE = (
    RS256   => [qw(RSA -pkeyopt rsa_keygen_bits:2048)],
    ES256   => [qw(EC -pkeyopt ec_paramgen_curve:P-256)],
    ES384   => [qw(EC -pkeyopt ec_paramgen_curve:P-384)],
    EdDSA   => [qw(ED25519)],
);

my ($directory, $keys);


# Claims of name => JSON text; of a name given twice the later one counts, and
# undef leaves it out.

sub claims_json {
    my %claim = @_;

    return '{' . join(',', map { qq("$_":$claim{$_}) }
                               grep { defined $claim{$_} } sort keys %claim)
           . '}';
}


sub base64url { return encode_base64url($_[0]) }


sub jwt {
    my ($claims, $key, %option) = @_;

    my $alg = $option{alg} // 'HS256';
    my $header = $option{header} // qq({"alg":"$alg","typ":"JWT"});
    my $text = base64url($header) . '.' . base64url($claims);

    return jws($text, signature($alg, $text, $key));
}


sub jws {
    my ($text, $signature) = @_;

    return $text . '.' . base64url($signature);
}


sub signature {
    my ($alg, $text, $key) = @_;

    my $hmac = $HMAC{$alg};

    return $hmac ? $hmac->($text, $key) : openssl_signature($alg, $text, $key);
}


sub openssl_signature {
    my ($alg, $text, $key) = @_;

    my ($in, $file) = tempfile(UNLINK => 1);
    print $in $text;
    close $in;

    open my $out, '-|', 'openssl', @{ $SIGN{$alg} }, $key,
         $alg eq 'EdDSA' ? '-in' : (), $file
        or die "openssl: $!\n";
    binmode $out;
    my $signature = do { local $/; <$out> };
    close $out or die "openssl failed\n";

    return $alg eq 'ES256' ? raw_signature($signature, 32)
         : $alg eq 'ES384' ? raw_signature($signature, 48) : $signature;
}


# openssl gives two DER integers; a token has so many bytes of each.

sub raw_signature {
    my ($der, $size) = @_;

    my (undef, undef, $r, $s) = unpack 'C C (x C/a)2', $der;

    return join '', map { substr "\0" x $size . $_, -$size } $r, $s;
}


sub new_key {
    my ($alg) = @_;

    $directory //= tempdir(CLEANUP => 1);

    my $private = "$directory/" . ++$keys . '.key';
    my $public = "$directory/$keys.pub";

    openssl('genpkey', '-algorithm', @{ $GENERATE{$alg} }, '-out', $private);
    openssl('pkey', '-in', $private, '-pubout', '-out', $public);

    return ($private, $public);
}


sub openssl {
    my (@arguments) = @_;

    open my $out, '-|', 'sh', '-c', 'exec openssl "$@" 2>&1', 'sh', @arguments
        or die "openssl: $!\n";
    my $said = join '', <$out>;
    close $out or die "openssl @arguments: $said\n";
}


1;
