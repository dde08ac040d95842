export FOREWARN_DIR=$PWD/programme FOREWARN_AS=ana
forewarn init --name "Harbourline early warning" --coordinator "Ana Lindqvist" --mail ana@desk.example --origin desk.example/forewarn --tick 1s
forewarn account add ben --name "Ben Oduya" --role approver,investigator --mail ben@desk.example
forewarn member add "Northlight Security" --tier 1 --jurisdiction DE --contact mia --contact-mail mia@northlight.example
forewarn keygen -o mia.key
forewarn member accept --keys mia.key.pub --as mia
forewarn case open "Layout import" --product "Larkspur Portal" --release +14d --tier 1
forewarn case consent --as mia
forewarn package add Layout examples/advisory
forewarn wave draft Layout --level poc --tier 1 --opens +3s
forewarn wave approve Layout/1 --as ben
forewarn pull --as mia -o inbox --wait
forewarn open inbox/*.age --key mia.key -o copy --lodge --as mia
