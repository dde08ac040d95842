package wear

// lexicon is groups of words and phrases that can mostly stand for one another,
// one group a line. No word is in two groups.
const lexicon = `
able to, capable of
about, roughly
accordingly, therefore, thus, hence
advisory, bulletin
alert, warning, alarm
allow, permit, let
allows, permits, lets
also, too, as well
alter, change, modify
altered, changed, modified
always, invariably
announced, made public, declared
answer, reply, response
answers, replies, responses
as long as, provided that, on condition that
asks for, requests
attempt, try
attempts, tries
because, since, as
before, ahead of, prior to
begin, start, commence
begins, starts, commences
best, most useful
block, stop, prevent
build, construct
call, invoke
cause, lead to, bring about
check, examine, inspect
checked, examined, inspected
checks, examines, inspects
choose, select, pick
collect, gather
complete, entire, whole
completely, entirely, fully
contains, includes, holds
correct, right
corrected, repaired, fixed
creates, makes, produces
customary, usual
decides, determines
default, standard
defect, flaw, weakness
deliver, ship, supply
demonstrated, shown, presented
deploy, put in place, apply
describes, explains
detect, find, discover
detected, found, discovered
difference, distinction
difficult, hard
disable, switch off, turn off
disabled, switched off, turned off
document, text
each, every
earlier, previous
easy, simple
employ, use
employed, used
enough, sufficient
ensure, make sure
error, mistake
existing, present, current
expected, foreseen
exposed, at risk
extracts, unpacks
faulty, flawed, defective
finder, researcher
finish, end, conclude
following, subsequent
forward, pass on, relay
frequent, common
fresh, new
genuine, legitimate
get, obtain, receive
gives, provides, grants
happen, occur
happens, occurs
help, assist
however, nevertheless, yet
huge, enormous
identify, recognise
immediately, at once, straight away
important, significant
inform, tell, notify
installed, set up
issue, problem
keep, retain, preserve
keeps, retains, preserves
large, big
leave, depart from
limited, restricted
list, enumerate
little, slight
look for, search for
looks for, searches for
machine, host, computer
mainly, chiefly, mostly
many, numerous
maybe, perhaps
meaning, sense
means, signifies
measure, step
measures, steps
near, close to
nearby, neighbouring, adjacent
necessary, needed, required
needs, requires
no, not any
normal, ordinary, plain
normally, usually, as a rule
notice, see, observe
often, frequently
only, merely, solely
order, sequence
organisation, company
original, initial
outcome, result
outside, beyond
part, portion, piece
parts, portions, pieces
place, put, store, deposit
planned, scheduled
possible, feasible
preferably, ideally
procedure, routine
processed, handled
promptness, speed
protect, defend, shield
proved, turned out
publish, release
questions, queries
quick, rapid, fast
quickly, rapidly, fast enough
reach, get to, arrive at
reads, parses
ready, prepared
refuse, reject, deny
refused, rejected, denied, turned down
remain, stay
remains, stays
remember, bear in mind, note
remove, delete, erase
repeat, do again
repeated, done again
replace, exchange
reports, flags, signals
result in, end in
reveal, disclose
running, in operation, in use
run, execute
search, look through
send, transmit
sends, transmits
separate, dedicated
short, brief
show, reveal to us
shows, displays
sign, indication
signs, indications
site, web site
small, little enough
stored, kept, saved
suspect, believe, think
system, installation
tells, says, states
together with, along with
touching, editing
trigger, set off
under, below
unusual, uncommon, odd
utterly, altogether
validated, verified
very, extremely
way, manner
while, at a time when
wide, broad, generous
within, inside
without, lacking
worked, succeeded
written, drawn up
wrong, incorrect
`
