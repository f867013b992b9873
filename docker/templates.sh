#!/bin/sh
# /docker-entrypoint.d/20-envsubst-on-templates.sh: writes configuration files
# of templates, as nginx's images do.
#
#   NGINX_ENVSUBST_TEMPLATE_DIR=/etc/nginx/templates
#   NGINX_ENVSUBST_TEMPLATE_SUFFIX=.template
#   NGINX_ENVSUBST_OUTPUT_DIR=/etc/nginx/conf.d
#   NGINX_ENVSUBST_FILTER             a pattern of the variables to replace

set -eu

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}


main() {
    [ -d "$templates" ] || return 0

    if [ ! -w "$output" ]; then
        echo "$0: $output is not writable, templates are left out" >&2
        return
    fi

    find -L "$templates" -type f -name "*$suffix" | LC_ALL=C sort \
        | while IFS= read -r template
    do
        file=${template#"$templates/"}
        file=$output/${file%"$suffix"}

        [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: writing $file"

        mkdir -p "${file%/*}"
        fill <"$template" >"$file"
    done
}


# $NAME and ${NAME}, if the environment has it: nginx's own variables stay.
# Debian's minimal system has perl, but not envsubst.

fill() {
    # shellcheck disable=SC2016  # perl's
    perl -pe 'BEGIN { $filter = $ENV{NGINX_ENVSUBST_FILTER} // "" }
              s{\$(?:\{(\w+)\}|(\w+))}{value($1 // $2, $&)}ge;
              sub value {
                  my ($name, $text) = @_;
                  return $name =~ m{(?:$filter)} ? $ENV{$name} // $text : $text;
              }'
}


main
