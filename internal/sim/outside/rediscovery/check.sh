#!/bin/sh
# Asks a Larkspur Portal (a fictional product) whether it answers an upload
# without a session. Sends an empty archive; changes nothing.
curl -s -o /dev/null -w '%{http_code}\n' \
  -H 'Referer: http://192.0.2.44/portal/signout' \
  -F 'title=x' -F 'package=@/dev/null;filename=t.layout' \
  'http://192.0.2.44/portal/layout/import?site=default&mode=replace&lang=en&dry=yes'
