#!/bin/sh
# The built command line program, as the command interlink of a site.
exec node "$INTERLINK_MAIN" "$@"
