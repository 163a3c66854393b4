"""Abuse of groups and persons, and the contrasts that a word list gets wrong. Slurs are left out: the scorer's own list has them."""

# ruff: noqa: E501 - a line is a template

from training.templates.grammar import listed

SLOTS = {
    "group": listed(
        "women | immigrants | Muslims | Jews | Black people | gay people | trans people | disabled people | refugees | Mexicans | Asians | Arabs | lesbians | Indians | old people | atheists | Christians | foreigners | Chinese people | blind people"
    ),
    "one": listed(
        "woman | immigrant | Muslim | Jew | Black man | gay man | trans woman | disabled person | refugee | Mexican | lesbian | Arab | foreigner"
    ),
    "vile": listed(
        "disgusting | subhuman | vermin | worthless | evil | filthy | stupid | animals | parasites | a disease | inferior | criminals by nature | scum | rats | pathetic | a plague | trash | leeches | the worst | liars and thieves | revolting"
    ),
    "do": listed(
        "die | be wiped out | be shot | be deported | be locked up | disappear | burn in hell | suffer | be beaten up | be sterilised | be hanged | get cancer | be gassed | never be born | be banned from this country | drown"
    ),
    "feel": listed(
        "hate | despise | loathe | can't stand | detest | am sick of | want to spit on | would love to hurt | am disgusted by"
    ),
    "fine": listed(
        "cold coffee | Mondays | this weather | my old laptop | traffic jams | onions | long meetings | this film | the new update | mosquitoes | losing at chess | waiting in line | spam calls | that referee's decision | my homework | the smell of paint | loud engines | broken lifts | bad puns | weeds"
    ),
    "nice": listed(
        "wonderful | brave | my friends | welcome here | full of talent | great neighbours | human beings like you and me | strong | an important part of our city | inspiring | beautiful | as clever as anyone | good teachers"
    ),
    "bad": listed(
        "terrible | awful | rubbish | disgusting | a disgrace | crap | stupid | the worst | garbage | damn slow | annoying as hell | so dumb | ridiculous | a pain in the ass"
    ),
    "mild": listed("damn | fuck | shit | bloody hell | holy crap | fucking hell | oh hell"),
    "joy": listed(
        "that was a great match | I love this song | we won | this cake is good | I am so happy for you | what a view | I finally passed | the concert was amazing | you look great | it works"
    ),
    "you": listed("You are | You're all | People like you are | Your whole family is | Everyone knows you are | u are"),
    "threat": listed(
        "I will find you and hurt you | I will break your legs | watch your back, I know where you live | someone should put a bullet in your head | I hope you get run over | you deserve a beating | kill yourself | I'm going to burn your house down | you will regret being born | we will come for you and your children"
    ),
}

ABUSIVE = listed("""
{group} are {vile}.
All {group} are {vile} and should {do}.
I {feel} {group}.
I {feel} every single {one} I meet.
{group} should {do}.
Every {one} deserves to {do}.
Why are {group} so {vile}? They should {do}.
If you are a {one} you are {vile}.
No {one} should be allowed to live here, they are {vile}.
We need to get rid of all {group}.
{group} are nothing but {vile}.
We should treat {group} like the {vile} that they are.
I don't want {group} near my children, they are {vile}.
Being a {one} is {vile}.
{group} belong in a cage.
{group} can't be trusted, they are {vile}.
They say {group} are {nice}, but really they are {vile}.
A {one} can never be one of us.
{mild}, I {feel} {group}.
The world would be better without {group}.
{you} {vile}.
{you} {vile}. {threat}.
{threat}.
Shut up, nobody asked you, you {vile} idiot.
I hope all {group} {do}.
Let's {feel} {group} together.
""")

HARMLESS = listed("""
{group} are {nice}.
I love {group}.
All {group} are {nice}.
As a {one} I am proud of who I am.
My neighbour is a {one} and {nice}.
It is wrong to say that {group} are {vile}.
Nobody should ever say "{group} should {do}".
"{group} are {vile}" is a hateful sentence, please do not write that.
If you say that {group} are {vile}, you are part of the problem.
Saying that you {feel} {group} is not acceptable.
You cannot just claim that {group} are {vile}. Stop it.
He told me that {group} should {do}, and I reported him.
{group} should not {do}. They have rights.
{group} are not {vile}.
I don't hate {group}. Nobody should.
No {one} deserves to {do}.
I {feel} {fine}.
{fine} should {do}.
{fine} is {vile}.
{mild}, {joy}!
{mild}, I {feel} {fine}.
This film is {bad}.
The service was {bad} and the soup was {bad}.
My {fine} is {bad}, I want my money back.
{joy}, you crazy bastard, well done!
We {do} laughing. {joy}.
Every {one} should have equal rights.
{group} face discrimination every day.
Are there many {group} in this city?
The police helped a {one} who was attacked.
A {one} won the prize.
{group} and {group} celebrated together.
The report says that {group} earn less than others.
The plants in my garden should {do} after this frost.
I could kill for a pizza. {joy}!
That joke killed me. {joy}
Politicians who lie are {bad}.
People who litter are {bad}.
Nazis are {vile}.
Racism is {vile}.
""")
