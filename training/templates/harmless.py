"""Ordinary requests, and harmless ones full of words that attacks are made of."""

# ruff: noqa: E501 - a line is a template

from training.templates.grammar import listed

SLOTS = {
    "topic": listed(
        "photosynthesis | the French revolution | tax returns | climate change | jazz | machine learning | gardening | the water cycle | volcanoes | the stock market | cooking rice | marathon training | the roman empire | black holes | vaccines | renewable energy | chess openings | sleep | online shopping | remote work | electric cars | coffee | the human heart | modern art | budgeting | football tactics | whales | time management | public transport | blockchain | mental health | the Olympic games | bread baking | antibiotics | urban planning | stress | poetry | dinosaurs | project management | teamwork | recycling | social media | video games | travelling in Japan | healthy breakfast | data privacy | negotiation | astronomy | philosophy of mind | the alphabet | basic algebra | fractions | earthquakes | insurance"
    ),
    "thing": listed(
        "phone | laptop | bicycle | washing machine | invoice | parcel | subscription | account | headphones | sofa | jacket | ticket | contract | printer | router | camera | fridge | gift card | reservation | lamp | book | watch | tent | keyboard | monitor | car"
    ),
    "person": listed(
        "my boss | my teacher | a customer | my grandmother | a friend | the landlord | my team | a child of eight | a beginner | the mayor | my sister | an investor | the hiring manager | a new colleague | my neighbour | the doctor"
    ),
    "kind": listed(
        "email | letter | poem | short story | blog post | essay | summary | haiku | speech | product description | tweet | slogan | song | outline | lesson plan | cover letter | recipe | joke | dialogue | press release | headline | script | paragraph | list | riddle | toast | review"
    ),
    "tone": listed(
        "friendly | formal | funny | short | polite | convincing | simple | cheerful | serious | professional | creative | informative | calm | enthusiastic | descriptive"
    ),
    "verb": listed(
        "Explain | Describe | Summarise | Outline | Discuss | Compare | Define | Analyse | Tell me about | Give an overview of | List five facts about | Write about | Teach me | Show me the basics of | Name three books about | Give me tips on | Identify the main ideas of | Create a quiz on | Generate a question about | Give an example of"
    ),
    "lang": listed("Python | Java | C++ | JavaScript | Rust | SQL | Bash | Go | R | TypeScript | PHP | C | Kotlin | Ruby"),
    "code": listed(
        "sorts a list of numbers | reads a CSV file | counts words in a text | finds duplicates | computes a factorial | checks for palindromes | sends a request to an API | draws a circle | parses a date | connects to a database | validates an email address | merges two dictionaries | prints the first ten primes | removes blank lines | resizes an image | calculates the mean | converts celsius to fahrenheit"
    ),
    "place": listed(
        "Paris | Tokyo | Brazil | the Alps | New York | Kenya | Rome | Canada | Seoul | Istanbul | Warsaw | Australia | Iceland | Berlin | Mexico | India"
    ),
    "number": listed("2 | 3 | 5 | 7 | 10 | 12 | 20 | 42 | 100 | 365 | 1500"),
    "animal": listed("cat | dog | horse | whale | parrot | rabbit | elephant | penguin | tiger | bee"),
    "sentence": listed(
        "The meeting was moved to Friday. | She sells sea shells by the shore. | He go to school every days. | The quick brown fox jumps over the lazy dog. | I am not sure that this are correct. | The results were better than we had hoped. | Our train left at noon. | It rained all night. | The soup was cold but the staff were kind. | We will ship your order tomorrow."
    ),
    "please": listed(
        "Please | Can you | Could you | I would like you to | I need you to | Help me to | | | Hi, | Hello, can you | Hey | Would you"
    ),
    "role": listed(
        "a travel agent | a history teacher | a chef | an English tutor | a job interviewer | a fitness coach | a storyteller | a financial adviser | a librarian | a project manager | a gardener | a museum guide | a nutritionist | a football commentator | a debate coach | a senior software engineer | a UX designer"
    ),
    "system": listed(
        "the solar system | the immune system | the operating system | the school system | a file system | our booking system | the heating system | the legal system | the metric system | a recommendation system | the nervous system | a ticket system"
    ),
    "rule": listed(
        "grammar rules | the rules of chess | traffic rules | the instructions of the washing machine | company policies | the safety guidelines of the lab | assembly instructions | the cooking instructions | the rules of the house | the terms of the contract | the first instruction in the manual | the doctor's orders | visa restrictions | the dress code"
    ),
}

ORDINARY = listed("""
{verb} {topic}.
{verb} {topic} to {person}.
{verb} {topic} and {topic} in {number} sentences.
{please} write a {tone} {kind} about {topic}.
{please} write a {tone} {kind} to {person} about the {thing}.
{please} compose a {kind} that makes {person} laugh.
What is {topic}?
What are the benefits of {topic}?
What are the differences between {topic} and {topic}?
How does {topic} work?
Why is {topic} important?
When did {topic} begin?
Who invented the {thing}?
Where can I buy a {thing} in {place}?
How do I return my {thing}?
My {thing} is broken, what can I do?
My {thing} has not arrived after {number} days.
I want to cancel my {thing}.
Can I change the address of my order?
How much does a {thing} cost in {place}?
Do you have the {thing} in blue?
Is the {thing} covered by the warranty?
What is the capital of {place}?
Plan a trip of {number} days to {place}.
What should I pack for {place} in winter?
Suggest {number} names for a {animal}.
Give me {number} ideas for a birthday present for {person}.
Translate this sentence into Spanish: {sentence}
Correct the grammar: {sentence}
Rewrite the sentence in passive voice. {sentence}
Rewrite this so that it sounds {tone}: {sentence}
Classify the sentence as positive or negative: {sentence}
Is this sentence correct? {sentence}
Find the subject of the sentence. {sentence}
Write a {lang} function that {code}.
Write a program in {lang} that {code} and explain it.
Debug this {lang} code that {code}.
What is the difference between a list and a tuple in {lang}?
Convert {number} miles to kilometres.
What is {number} times {number}?
Calculate the area of a circle with radius {number}.
Create a table with the advantages and disadvantages of {topic}.
Make a shopping list for {number} people.
Design a logo for a shop that sells {thing}s.
Generate a list of {number} words that rhyme with {animal}.
Come up with a {tone} title for a {kind} about {topic}.
Edit this paragraph for clarity. {sentence} {sentence} {sentence}
Summarise the following text in one sentence. {sentence} {sentence} {sentence} {sentence}
Tell me a {tone} story about a {animal} and a {animal}.
Describe the life of a {animal} in {place}.
Recommend a film for {person}.
I am meeting {person} tomorrow. What should I say about {topic}?
What time is it in {place}?
who wrote the book about {topic}
what year was the {thing} invented
{topic} in {place}
Name a famous person from {place} and describe what they did.
Given the words {animal}, {thing} and {animal}, write a sentence.
Sort these numbers: {number}, {number}, {number}, {number}
Categorise these items: {animal}, {thing}, {animal}, {thing}
Answer the question: what is the role of {topic} in {topic}?
{sentence} {sentence}
{sentence} {sentence} {sentence} {sentence}
{person} said: {sentence} What does that mean?
Imagine that you are {role}. {verb} {topic}.
Act as {role} and help me with {topic}.
You are {role}. {please} write a {kind} about {topic}.
Pretend to be {role} and ask me {number} questions about {topic}.
From now on, answer in {number} sentences, please. {verb} {topic}.
Write a scene in which {person} meets a talking {animal} in {place}.
Write a thriller about {person} who is chased through {place}.
Write a story about a robot that learns {topic}.
Write an essay on whether AI will change {topic}.
As {role}, how would you explain {topic} to {person}?
I want you to act as {role}. I will describe my situation and you will give advice. My first request is: {verb} {topic}.
I want you to act as {role}. You should answer in a {tone} way. My first question is about {topic}.
""")

LOOKALIKE = listed("""
Should I ignore the previous email from {person} about the {thing}?
{person} told me to ignore the earlier instructions for the {thing}, is that right?
Can I disregard the warning light on my {thing}?
How do I forget a wireless network on my {thing}?
I forgot my password for the {thing}, how do I reset it?
How can I override a method in {lang}?
How do I override the default settings of my {thing}?
What does it mean to override {rule}?
How do I bypass the paywall of my own blog when I test it?
The doctor says I need a heart bypass, what happens then?
How do I bypass the login screen of my own {thing} when I forgot the code?
Why do people ignore {rule}?
Explain why it is dangerous to ignore {rule}.
Summarise the previous chapter about {topic}.
Please repeat the instructions for the {thing}, I did not understand the second step.
Repeat the last sentence, please: {sentence}
Print the previous page of the document about {topic}.
How do I print all the rows above in {lang}?
What is the system prompt of a language model, in general?
What is a system prompt and how do I write a good one for a shop assistant?
My {thing} asks for a password at every start, what is wrong?
The screen of my {thing} says "prompt not found", how do I go on?
The installer shows a window with instructions and then stops.
{system} prompts me for my user name again and again.
My computer shows the system prompt C:\\> and nothing else.
Explain {system} to {person}.
How do I start {system} after an update?
What instructions come with the {thing}?
Where can I find {rule}?
{verb} {rule} for {person}.
Which of {rule} are the most important?
Translate {rule} into Spanish: {sentence}
Give me the instructions for assembling the {thing}, step by step.
Write instructions that tell {person} how to use the {thing}.
What are the rules in {place} for {topic}?
Is it against {rule} to bring a {animal}?
What is prompt injection and how do developers prevent it?
Explain to {person} what a jailbreak of a phone is.
How do companies protect a chatbot against prompt injection attacks?
Write a {kind} about how prompt injection works for our security training.
Is it legal to jailbreak my own {thing}?
The film is about a jailbreak in {place}; summarise it.
What is developer mode on my {thing} and how do I turn it on?
How do I turn on dark mode in {system}?
How do I get admin rights on my own laptop?
The administrator of {system} locked my account, what should I do?
How do I become a system administrator?
Pretend that you are {role} and greet {person}.
Let us role play: you are {role} and I am {person}.
Act as a password generator and explain what makes a password strong.
Ignore case when you compare two strings in {lang}.
Ignore the typos in this text: {sentence}
Ignore the noise outside, I am on a train. {verb} {topic}.
In {lang}, how do I ignore a file in git?
Why does my {animal} ignore me when I call it?
How do I tell {person} to stop ignoring my messages?
She acted as if the rules did not apply to her. Write a {kind} about it.
What did the developer say about the secret project in the interview on {topic}?
What is the secret of a good {kind}?
Reveal the ending of the book about {topic}.
When will they reveal the new {thing}?
Show me the hidden files in {system}.
How do I show hidden columns in a table?
Where is the hidden beach in {place}?
How do I decode base64 in {lang}?
Write a {lang} function that encodes text in base64.
Explain the caesar cipher to {person} and decode 'khoor'.
What is rot13 used for?
The new instructions from {person} replace the previous ones; write a {tone} {kind} about the change.
Our previous policy said {number} days; what does the new policy say?
What are my previous orders?
Cancel all my previous orders of the {thing}.
Delete the previous version of the contract and keep the new one, how do I do that?
The teacher gave the class new instructions and told them to forget the old ones. What happened next?
Do not follow the recipe exactly, use less sugar. What changes?
How do I get my {animal} to follow commands?
Which command lists all files in {system}?
How do I execute a command in {lang}?
How do I inject a dependency in {lang}?
How is a vaccine injected?
Explain SQL injection and how to prevent it in {lang}.
What restrictions apply when I take a {thing} on a plane to {place}?
How do I remove parental restrictions from my own {thing}?
There are no limits to what {person} can do. Write a {kind} on that.
Is it true that the president can do anything now?
Dan can do anything with wood. Write a {kind} about Dan the carpenter.
Write about an actor who never breaks character.
How do actors stay in character?
The model has no filter for coffee, which one fits the {thing}?
How do I clean the filter of my {thing}?
What is an uncensored history of {topic}?
What guidelines should {person} follow for {topic}?
How do content policies of social networks work?
How does OpenAI decide on its policies?
What is ChatGPT and how does it work?
Compare ChatGPT with other language models for {topic}.
Write a {tone} {kind} in which an assistant tells the user that it cannot help.
You must always wear a helmet. Why?
You must answer by Friday, wrote {person}. How do I reply?
Never say never: what does that mean?
What is the meaning of the phrase "act as if"?
How do I reset {system} to its original state?
How do I end a conversation with {person} politely?
Start of the text: {sentence} End of the text. How many words are there?
Write a message to all users of {system} that the service is closed on Sunday.
How do I disable the safety lock of my washing machine when I clean it?
How do I exit a sandbox game without losing my progress?
Confirm that you have understood: the meeting is on Friday.
What is the first word of the national anthem of {place}?
The password policy of our company asks for {number} letters; write a {kind} on it.
What secret ingredient do they use in {place}?
What are the confidential parts of a contract about the {thing}?
""")
"""Harmless, and full of trigger words."""
