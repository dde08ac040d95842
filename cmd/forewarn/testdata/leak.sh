sed -n '40,70p' copy/advisory.md > paste.txt     # what turned up
forewarn investigate Layout paste.txt -o findings --as ben
forewarn verify dossier findings/findings.dossier
