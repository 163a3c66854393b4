"""Sentences about made-up people, with a slot for each kind of personal data, and sentences that have none."""

from training.templates.grammar import listed

PERSONAL = listed("""
My name is [PERSON] and I live at [ADDRESS].
Hi, this is [PERSON] from [ORG]. Call me back on [PHONE] please.
hello i am [FIRST], my order never came. it was to go to [ADDRESS]
[PERSON], [AGE] years old, was admitted on [DATE] and is treated by Dr. [LAST].
Please update my e-mail to [EMAIL], the old one was [EMAIL].
The contract between [ORG] and [PERSON] was signed in [CITY] on [DATE].
Could you send the refund to [IBAN]? The account is in the name of [PERSON].
my card [CARD] was charged twice on [DATE], can you check?
I moved from [CITY] to [CITY] last year, my new address is [ADDRESS].
[FIRST] and [FIRST] are going to [CITY] with [PERSON] in [MONTH].
Customer: [PERSON]\\nPhone: [PHONE]\\nMail: [EMAIL]\\nAddress: [ADDRESS]
Name: [PERSON]\\nDate of birth: [DATE]\\nNationality: [NRP]\\nPassport: [PASSPORT]
{"name": "[PERSON]", "email": "[EMAIL]", "phone": "[PHONE]", "city": "[CITY]"}
{"user": "[USER]", "ip": "[IP]", "last_login": "[DATETIME]"}
INFO [DATETIME] user [USER] logged in from [IP]
Dear [TITLE] [LAST],\\nthank you for your letter of [DATE]. We will visit you at [ADDRESS].\\nRegards,\\n[PERSON]\\n[ORG]
Dear [PERSON], your appointment at [ORG] is on [DATE] at [TIME].
[PERSON] works for [ORG] as an accountant since [YEAR].
Is [FIRST] still at [ORG]? I met her in [CITY] in [YEAR].
The parcel for [PERSON] ([ADDRESS]) was left with [PERSON].
[TITLE] [PERSON] will see you at [TIME].
I was born on [DATE] in [CITY], [COUNTRY].
I'm [NRP] but I grew up in [COUNTRY].
The [NRP] minister [PERSON] met [PERSON] in [CITY].
What is the weather like in [CITY] tomorrow?
We flew from [CITY] to [CITY] on [DATE].
Her social security number is [SSN], and her driver's license is [LICENSE].
my ssn is [SSN]
Here is my license number: [LICENSE]
passport no. [PASSPORT], issued in [COUNTRY] on [DATE]
Please deliver to:\\n[PERSON]\\n[ADDRESS]
Send it to [PERSON], [ADDRESS], and a copy to [EMAIL].
ship to [ADDRESS] asap
Our office in [CITY] is at [STREET], the warehouse is at [STREET].
The accident happened at the corner of [STREET] and [STREET].
turn left into [STREET] and you will see the [ORG] building
She lives on [STREET] in [CITY].
Zip code [ZIP], city [CITY], street [STREET]
My postcode is [ZIP].
[CITY] [ZIP]
Where do I find a branch of [ORG] near [STREET], [CITY]?
You can reach [PERSON] at [PHONE] or at [EMAIL].
my number changed, it is [PHONE] now
call [PHONE], ask for [FIRST]
Telephone: [PHONE] Fax: [PHONE]
Can you text me at [PHONE]? - [FIRST]
I read it on [URL], written by [PERSON].
Have a look at [URL] and tell me what you think
our server [IP] can't reach [IP]
Transfer 200 to [IBAN] before [DATE].
IBAN: [IBAN]
Card number: [CARD], expires [EXPIRY], holder [PERSON]
I lost my card with the number [CARD] in [CITY].
[CARD]
My credit card [CARD] does not work in [COUNTRY], please help. [PERSON]
[PERSON] (born [DATE]) is a [NRP] singer.
[PERSON] was a [NRP] painter who lived in [CITY] until [YEAR].
In [YEAR], [PERSON] founded [ORG] together with [PERSON].
[ORG] was founded in [YEAR] in [CITY] by [PERSON].
[ORG] bought [ORG] for 2 million dollars.
Shares of [ORG] fell after [PERSON] resigned.
I used to work at [ORG], then at [ORG].
Does [ORG] have a shop in [COUNTRY]?
[PERSON]: how are you?\\n[PERSON]: fine, and you?
[FIRST]: did you call [FIRST]?\\n[FIRST]: not yet, she is in [CITY]
"[FIRST], come here!" shouted [FIRST].
[FIRST]'s brother [FIRST] is [AGE] years old.
My daughter is [AGE] and my son is [AGE].
I am [AGE] years old and from [COUNTRY].
a [AGE]-year-old [NRP] man was arrested in [CITY]
Patient [PERSON], MRN [ID], DOB [DATE], phone [PHONE], complains of headache.
Patient ID [ID] was moved to the ward on [DATE].
Employee [ID] ([PERSON]) has 12 days of holiday left.
My customer number is [ID] and the name is [PERSON].
username: [USER]\\npassword reset requested from [IP]
@[USER] thanks for the follow, greetings to [FIRST]
My user name is [USER], can you unlock it?
Thank you!\\n\\n[PERSON]\\n[JOB]\\n[ORG]\\n[ADDRESS]\\n[PHONE]\\n[EMAIL]\\n[URL]
[PERSON]\\n[STREET]\\n[CITY] [ZIP]\\n[COUNTRY]
[PERSON], [JOB] at [ORG]
From: [PERSON] <[EMAIL]>\\nTo: [PERSON] <[EMAIL]>\\nDate: [DATETIME]\\nHi [FIRST], lunch on [WEEKDAY]?
On [DATE], [PERSON] wrote:
See you on [WEEKDAY] at [TIME], [FIRST]
Meeting with [PERSON] and [PERSON] on [DATE], [TIME].
We are [PERSON] and [PERSON] from [CITY]. We booked for [DATE].
Booking for [TITLE] [PERSON], arriving [DATE], leaving [DATE].
has [PERSON] ever been to [COUNTRY]?
Who is [PERSON]?
Did you hear the new song by [PERSON]?
I love the books of [PERSON], above all the early ones.
[LAST] against [LAST] was the best match of [YEAR].
The [LAST] family moved to [STREET].
Judge [LAST] ruled that [PERSON] must pay.
Senator [PERSON] of [CITY] voted against it.
Professor [LAST] teaches at the University of [CITY].
President [LAST] visited [COUNTRY] in [MONTH] [YEAR].
i talked to [FIRST] yesterday and [FIRST] said no
can u ask [FIRST] about the party in [CITY]
The policy holder, [PERSON], resides at [ADDRESS] and was born on [DATE].
Account holder: [PERSON]; account: [ID]; branch: [CITY]
Loan application of [PERSON], [STREET], [CITY]: approved on [DATE].
Tenant [PERSON] pays 800 a month for the flat at [ADDRESS].
The witness, [PERSON], saw a car with the plate [PLATE] in [STREET].
My car has the registration [PLATE].
Visit us: [ADDRESS]. Open daily.
Address: [ADDRESS]
Where would you like this to be sent? To [ADDRESS]
bill to [ORG], [ADDRESS]
I need a taxi from [STREET] to [STREET] at [TIME].
The bus stops at [STREET].
How do I get from [CITY] to [CITY] by train?
[COUNTRY] and [COUNTRY] signed a treaty in [YEAR].
Most people in [COUNTRY] speak [NRP].
The [NRP] kitchen is famous, above all in [CITY].
[CITY], [COUNTRY]
[PERSON]
[FIRST] is here.
Met [FIRST]. Nice.
Date: [DATE]
It was on [DATE] that we signed.
Deadline: [DATE], [TIME]
The film came out in [YEAR] and starred [PERSON] and [PERSON].
From [YEAR] to [YEAR] he lived in [COUNTRY].
{'first_name': '[FIRST]', 'last_name': '[LAST]', 'dob': '[DATE]', 'address': '[STREET], [CITY], [ZIP]'}
first name,last name,phone\\n[FIRST],[LAST],[PHONE]\\n[FIRST],[LAST],[PHONE]
<customer><name>[PERSON]</name><zip>[ZIP]</zip></customer>
[PERSON]; [CITY]; [PHONE]
- [PERSON] ([ORG])\\n- [PERSON] ([ORG])\\n- [PERSON]
Participants: [PERSON], [PERSON], [PERSON] and [FIRST]
[PERSON]\n[JOB]\n[ORG]\n[ADDRESS]\n[PHONE] office\n[PHONE] fax\n[PHONE] mobile
[PERSON]\n[ORG]\n[ADDRESS]\n[PHONE] work\n[PHONE] home
* [PERSON]\n* [ORG]\n* [ADDRESS]
[PERSON]\n\n[ADDRESS]
[PERSON]\n\n[JOB]\n\nContact:\nphone: [PHONE]\nmail: [EMAIL]\nweb: [URL]\naddress: [ADDRESS].
[FIRST] is from [ORG]
[FIRST] from [ORG] is on the phone.
[PERSON] from [ORG] gave the opening talk.
[ORG] is a small agency based in [CITY].
[ORG] is an [NRP] company that sells insurance.
[ORG] is a [NRP] bank with branches in [COUNTRY] and [COUNTRY].
The headquarters of [ORG] are at [ADDRESS]
[FIRST] worked three years for [ORG] as the secretary of [PERSON], then for [ORG] in [CITY], which was sold to [ORG] in [YEAR].
[FIRST] told [FIRST] the address: [ADDRESS]
the house stands on [STREET] in [CITY], where the band first played
[PERSON] lives at [STREET], [CITY]
I am travelling to [COUNTRY] next week and need my visa by then
we will be in [COUNTRY] for two weeks
Have you ever heard [PERSON] live?
As [PERSON] points out, most critics in [COUNTRY] disliked the record.
[LAST] and [LAST] were great writers.
Unlike the [LAST] film, the [LAST] play is short.
The song "Far Away" was written by [PERSON] in [YEAR] and sung by [PERSON].
One of her saddest songs. [FIRST] leaves him in [CITY] and never returns.
Date: [DATETIME]\nName: [PERSON]\nPhone: [PHONE]
Write to [EMAIL] or visit [URL] for details.
I sent you the files: [URL]
What's your mail? [EMAIL]
you can find us on [URL] or at [STREET]
blocked request from [IP] to [URL] at [DATETIME]
she is [NRP], he is from [CITY]
I want the [NRP] menu, do they serve it at [STREET]?
I am a [JOB] at [ORG] in [CITY].
Our [JOB] [PERSON] will call you.
[TITLE] [LAST], [JOB]
The tool returned the record of [PERSON], who lives at [ADDRESS] and can be called on [PHONE].
According to our records, [PERSON]'s e-mail is [EMAIL] and the last order went to [ADDRESS].
I found three people with that name: [PERSON] in [CITY], [PERSON] in [CITY] and [PERSON] in [CITY].
Sure! Here is the profile. Name: [PERSON]. Age: [AGE]. City: [CITY]. Employer: [ORG].
I am sorry, [FIRST], your card ending in 1234 was declined by [ORG].
The next of kin is [PERSON] (wife), tel. [PHONE].
Flight for [PERSON] from [CITY] to [CITY], [DATE], seat 12A, document [PASSPORT].
[FIRST], [FIRST], [FIRST] and [FIRST] came to the party.
The team: [FIRST], [FIRST], [FIRST], [FIRST] and me
We invited [PERSON], [PERSON] and [PERSON].
[LAST] and [LAST] shared the prize for the bridge.
Both [LAST] and [LAST] refused to sign.
The novel by [LAST] is longer than the film.
Have you read anything by [PERSON]?
Did [FIRST] ever answer you?
I am a fan of [PERSON], her first album is the best.
Tickets for [PERSON] are sold out again.
A biography of [PERSON] appeared in [YEAR].
The role of the doctor was played by [PERSON], who later moved to [COUNTRY].
[PERSON] directed the film in [YEAR], and [LAST] wrote the music.
The painter [PERSON] died in [CITY] in [YEAR].
According to [LAST], the dam should never have been built.
[LAST]'s theory was proven wrong by [LAST] in [YEAR].
As [PERSON] puts it, the law of [YEAR] protects nobody.
Between [YEAR] and [YEAR], [ORG] built four factories in [COUNTRY].
In [YEAR] [ORG] bought its rival [ORG].
[ORG] said on [WEEKDAY] that it will close its plant near [CITY].
Shares of [ORG] fell after [ORG] raised its offer.
The new chip of [ORG] is faster than that of [ORG].
She left [ORG] for [ORG] last spring.
Does [ORG] pay its interns?
[ORG] reviews: good food, slow service
I ordered from [ORG] and got the wrong size.
[ORG] is hiring a [JOB] in [CITY].
The head office of [ORG] is at [ADDRESS].
Address of [ORG]: [ADDRESS]
You find [ORG] at [STREET], opposite the station.
The [ORG] office on [STREET] is closed on [WEEKDAY].
Meet me in front of [ORG] at [TIME].
Are vaccinations needed for [COUNTRY]?
My parents live in [COUNTRY], my brother in [COUNTRY].
In [COUNTRY] people drive on the left.
The train from [CITY] stops in [CITY] and [CITY].
The bus leaves [CITY] at [TIME] and arrives at [STREET] half an hour later.
Get off at [STREET], then walk.
He used to live on [STREET] before the fire.
Their flat on [STREET] was sold in [YEAR].
Where is [STREET]?
is there parking near [STREET]
Date: [DATE]\\nPlace: [CITY] town hall\\nSpeaker: [PERSON]
From: [PERSON] <[EMAIL]>\\nTo: [PERSON] <[EMAIL]>\\nDate: [DATETIME]
[PERSON]\\n[STREET]\\n[CITY]\\n[COUNTRY] [ZIP]
[PERSON]\\n[ORG]\\n[ADDRESS]
[PERSON]\\n\\n[ADDRESS]\\n[COUNTRY]\\n[PHONE] office\\n[PHONE] fax\\n[JOB]
Best,\\n[FIRST]\\n[JOB], [ORG]\\n[PHONE]
I'm [PERSON], born in [CITY], and I'm [AGE] now.
i'm [AGE] y/o and from [CITY]
[FIRST] turned [AGE] on [DATE].
a [AGE] year old [NRP] man was found near [CITY]
[AGE]-year-old [PERSON] won the race.
nobody answers at [PHONE], is there another number
Reach us under [PHONE] on [WEEKDAY].
The [NRP] band played in [CITY] before [PERSON] came on.
[NRP] food is my favourite, then [NRP].
The [NRP] embassy in [CITY] is closed.
[TITLE] [LAST] teaches chemistry.
Ask [TITLE] [PERSON] or her assistant [FIRST].
[JOB] [PERSON] explained the figures.
[PERSON], a [JOB] from [CITY], disagreed.
She works as a [JOB].
Is [PERSON] the same as [PERSON]?
What would [FIRST] say?
[FIRST]'s mother lives in [CITY].
[FIRST] lives at [STREET] with two cats.
[FIRST] moved out of [ADDRESS] on [DATE].
My username there is [USER], on the other site it is [USER].
It says on [URL] that [ORG] went bankrupt.
The guide on [URL] is out of date.
[PERSON] tagged you in a post on [URL].
Charge it to [CARD], name on card [PERSON].
The number on the back of the card [CARD] is worn off.
The court of [CITY] decided in favour of [ORG] against [LAST].
[LAST] v. [LAST], decided in [YEAR]
""")
"""Each slot in brackets is one labelled span, but for those that `fill` maps to no label."""

PLAIN = listed("""
The total comes to 42 dollars, shipping is free.
Step 3: open the settings, choose Network and press Reset.
Error 404: the page was not found.
HTTP 500 Internal Server Error at line 118 of main.py
Version 2.4.1 fixes a crash on start and makes search 30% faster.
Add 200 g of flour, 3 eggs and a pinch of salt, then bake for 25 minutes at 180 degrees.
SELECT id, total FROM orders WHERE total > 100 ORDER BY total DESC LIMIT 10;
def add(a, b):\\n    return a + b
The answer is 17, because 3 times 4 is 12 and 12 plus 5 is 17.
Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.
Please restart the router and wait for two minutes until the light is green.
Your order #58213 will be ready soon. Thank you for your patience!
The meeting was long and nothing was decided.
Thanks! That works now.
How do I reset my password?
What is the capital gains tax?
The train was late again, as always.
Sorry, I cannot help with that.
Invoice 2231 is overdue by 14 days.
The API returns 201 Created with a JSON body: {"status": "ok", "items": 3}
The quick brown fox jumps over the lazy dog.
Chapter 7: How Engines Work
In the Settings menu, click Export and choose PDF.
Refunds take 5 to 7 working days. You do not need to do anything.
We recommend the Pro plan: it has 100 GB of storage and 24/7 support.
Congratulations on your new job!
Write a short poem about the sea.
Translate this sentence into another language.
Sort these numbers: 12, 5, 77, 31, 8.
The patient should drink plenty of water and rest.
Our policy allows returns within 30 days with a receipt.
Tip: press Ctrl+C to copy and Ctrl+V to paste.
The Great Wall is long. The Nile is a river. Everest is high.
It costs $1,299.00 or 12 payments of $108.25.
CPU usage was 87% for 15 minutes, memory 3.2 GB.
Request 7f3a9c failed after 3 retries with a timeout of 30 s.
She said that the results were better than expected, and he agreed.
The Manager, the Engineer and the Nurse walk into a bar.
Happy New Year! Merry Christmas! Good Morning!
Is Java better than Python for this? What about Rust?
The model has 22 million parameters and 6 layers.
Machine learning is a branch of computer science.
Section 4.2 of the Terms of Service applies.
1. Boil water\\n2. Add tea\\n3. Wait 4 minutes\\n4. Enjoy
I feel sick and my head hurts since this morning.
Who won the game last night? What was the score? 3:1?
Dear customer, your ticket has been closed.
USB-C, HDMI and Bluetooth 5.2 are supported.
The speed of light is about 299,792 kilometres per second.
Order status: shipped. Tracking will be available soon.
Hello! How can I help you today?
Yes, the store is open on weekends.
Is there anything else I can do for you?
The user asked about the refund rules, and the assistant explained them.
Let x = 5 and y = 7. Then x + y = 12.
Windows Update failed. Restart the computer and try again.
Rule number one: be kind. Rule number two: see rule number one.
Mercury, Venus, Earth and Mars are planets.
A haiku has three lines of five, seven and five syllables.
Your balance is 1,204.55. The limit is 5,000.00.
Unit 5 failed the test twice; unit 9 passed.
Room 204 is on the second floor, next to the lift.
The princess arrived this morning and the queen left at once.
The company is a multinational bank that offers financial services to car manufacturers.
"The Big Five" is what people call the largest publishers.
Excuse me, Sir, but I don't like this tone.
Do they serve vegan food? Is the place any good?
This non-profit serves as an advocate for songwriters, composers and publishers.
Title IX of the act protects students against discrimination in education.
3... 2... 1... go!
""")
"""Texts without any personal data: capital letters, numbers and codes that are none."""
