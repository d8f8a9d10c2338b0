#include "cli/sample_grammar.h"

#include <assert.h>
#include <string.h>

typedef struct GrammarRule {
    const char *name;
    const char *texts[40]; /* NULL ends them */
} GrammarRule;

static const GrammarRule rules[] = {
    {"spam",
     {"{greet}{look} my {page}{please}",
      "{look} my {page}, i {make} {content}{please}",
      "{greet}i {make} {content} and {need} {support}{please}",
      "{look} this {page} {link}",
      "{earn} {money} {easily} at {link}",
      "{earn} {money} {easily}, {proof}{link}",
      "{give} {prize}: {link}",
      "{give} {prize}, just {act} {link}",
      "{act} and i will {act} you back{please}",
      "sub for sub? {act} and leave a comment, i answer",
      "{greet}we are {a band} from {place}, {look} our {works}{please}",
      "i uploaded {content} yesterday, {look} it{please} {link}",
      "{link}",
      "{link} {look} it",
      "my {content} got only {number} views{please}",
      "follow me on {site}: {link}",
      "need {number} subscribers before {day}{please}",
      "free {goods} here {link}",
      "want free {goods}? {act}, then open {link}",
      "{goods} for less than {number} {currency}: {link}",
      "\"{brag}\" they said. Now {look} my {page}{please}",
      "{greet}\n{look} my {page}\n{act}\n{thanks}",
      "{brag}, {look} my {content} {link}",
      "vote for {me} here: {link}{please}",
      "please help {me} reach {number} {fans}, {thanks}"}},
    {"song",
     {"{this song} is {good}",
      "{this song} is {good}{laugh}",
      "{i love} {this song}",
      "{i love} {the part} at {minute}",
      "{the part} at {minute} is {good}",
      "{who} in {year}?",
      "{the singer} is {good}",
      "{the singer} looks {good} in this",
      "{memory} {this song}",
      "{this song} {memory again}",
      "how does this have {number} million views{laugh}",
      "{number} million views and still {good}",
      "{opinion}, {this song} is {bad}",
      "{this song} is {bad}",
      "i hate how {this song} is stuck in my head{laugh}",
      "{dance} to {this song}",
      "{the singer}: \"{lyric}\"\nMe: {lyric again}",
      "\"{lyric}\" {love}",
      "{love}",
      "{love} {this song}",
      "{this song} came on {somewhere} and {reaction}",
      "{opinion}, {the part} is the best of {this song}",
      "{reaction} {love}",
      "why is {the part} so {good}",
      "my {relative} {relative does} {this song}{laugh}",
      "{the singer} before {number} million views, those were the days",
      "{year}, anyone? {love}",
      "who else skips to {minute}{laugh}"}},
    {"either",
     {"{who cares}, {look} this {love}", "please like this so that everyone sees it",
      "like if you {agree}", "thumbs up if you {agree}", "{look} the video of {the singer}",
      "my cover of {this song} is {good}", "i sing {this song} too{please}",
      "anyone who wants to talk about {this song}, write me", "{the singer} should come to {place}",
      "subscribe to {the singer}", "{number} likes and i {dare}", "{love} {love}",
      "{look} {the part} in the new version: {link}", "is this {the singer} or a copy? {link}",
      "{greet}{thanks}", "first", "{i love} this channel", "{number} subscribers, well earned"}},
    {"late spam",
     {"{greet}my mixtape is out, {look} it{please}",
      "young rapper from {place}, {look} my bars{please}",
      "i freestyle every {day}, {act} if you like bars", "my crowdfunding ends {day}: {link}",
      "beats for rent, {number} {currency} a month: {link}",
      "diss track on my page, tell me who won", "{a rapper} with no budget, just {support}{please}",
      "download the app, type {number}, get {goods}"}},
    {"late song",
     {"this verse is {good}", "the beat drop is {good}", "{opinion}, best duet ever",
      "rap and a sung hook, {love}", "the story in the lyrics is {good}",
      "that verse at {minute} speaks to me", "bad relationships sound like this verse",
      "the actors in this clip are {good}", "fire in the house, literally{laugh}"}},
    {"greet",
     {"hey, ", "hello everyone, ", "hi guys, ", "sorry to bother you, ", "", "", "", "yo! "}},
    {"look",
     {"check out", "take a look at", "come and see", "please watch", "have a listen to", "visit",
      "click on", "go to"}},
    {"page",
     {"channel", "page", "profile", "new channel", "gaming channel", "music page", "site", "blog"}},
    {"please",
     {"", "", "", " please", ", it would mean a lot", ", thank you", " pls!!", ", {thanks}",
      ", you will not regret it"}},
    {"make", {"make", "post", "record", "upload", "edit", "produce"}},
    {"content",
     {"covers", "gaming videos", "short films", "my own songs", "remixes", "pranks", "beats",
      "drawings", "dance lessons", "guitar videos", "vlogs", "reviews"}},
    {"works", {"first song", "videos", "demo", "new single", "show", "cover"}},
    {"need", {"need", "really want", "dream of", "hope for"}},
    {"support",
     {"your support", "some subscribers", "a chance", "honest feedback", "more views",
      "one more {fan}"}},
    {"fan", {"fan", "listener", "follower"}},
    {"fans", {"fans", "followers", "subscribers", "listeners"}},
    {"earn", {"earn", "make", "i made", "win", "how i got"}},
    {"money",
     {"{number} {currency} a day", "{number} {currency}", "real money", "cash", "an income"}},
    {"currency", {"dollars", "euros", "pounds", "$"}},
    {"easily",
     {"from home", "without work", "with your phone", "in one week", "by watching videos"}},
    {"proof", {"no joke: ", "it really works ", "ask my {relative} ", "proof: "}},
    {"give", {"giving away", "i give away", "win", "be the first to get", "we hand out"}},
    {"prize", {"{number} phones", "a console", "gift cards", "tickets", "{goods}"}},
    {"goods",
     {"ringtones", "gift cards", "headphones", "game coins", "t-shirts", "skins", "sneakers"}},
    {"act", {"subscribe", "like and subscribe", "share this", "sign up", "join", "add me"}},
    {"a band", {"a band", "two brothers", "three students", "a school choir", "a duo"}},
    {"a rapper", {"a rapper", "an mc", "a beat maker", "a poet"}},
    {"place",
     {"Utrecht", "Lagos", "Lima", "Ohio", "Leeds", "Manila", "Gdańsk", "São Paulo", "Ankara",
      "México", "Århus", "Mumbai"}},
    {"site", {"my site", "every network", "the photo app", "the short video app"}},
    {"day", {"friday", "the weekend", "christmas", "monday", "my birthday", "tuesday"}},
    {"me", {"me", "my sister", "our school", "this artist", "my brother"}},
    {"brag",
     {"Nobody makes it", "one day i will be on stage", "quit your job", "you cannot sing",
      "i am only fifteen"}},
    {"thanks", {"thanks", "thank you all", "bless you", "thx", "much love"}},
    {"this song",
     {"this song", "this", "this track", "this video", "the chorus", "it", "this tune",
      "the whole album", "this masterpiece"}},
    {"good",
     {"awesome", "so good", "the best", "amazing", "a classic", "still fresh", "gold", "beautiful",
      "insane", "funny", "underrated", "perfect", "unreal", "pure joy"}},
    {"bad",
     {"overrated", "annoying", "so bad", "boring after {number} times", "too loud", "nonsense"}},
    {"i love",
     {"i love", "i really like", "cannot stop playing", "my kids love", "still love",
      "everybody loves", "we danced to"}},
    {"the part",
     {"the dance", "the chorus", "the intro", "the drop", "that high note", "the costume",
      "the horse", "the robot", "the jungle scene", "the bass line", "the part with the lift"}},
    {"minute", {"0:{second}", "1:{second}", "2:{second}", "3:{second}"}},
    {"second", {"07", "12", "18", "24", "31", "36", "43", "48", "55", "59"}},
    {"who",
     {"who is here", "anyone still listening", "who watches this", "still dancing", "back again"}},
    {"year", {"2009", "2010", "2011", "2012", "2013", "2014"}},
    {"the singer",
     {"she", "he", "the singer", "this man", "that voice", "the drummer", "the lead",
      "the dancer in red"}},
    {"memory",
     {"school days with", "summer of {year} and", "my wedding had", "mum always played",
      "i was seven and loved"}},
    {"memory again",
     {"takes me back to {year}", "makes me cry", "was our team's anthem", "was on every radio",
      "brings back the holidays"}},
    {"laugh", {"", "", "", " lol", " haha", " 😂", " XD", " 😂😂", "..."}},
    {"opinion", {"honestly", "in my opinion", "not going to lie", "sorry, but", "unpopular view"}},
    {"dance", {"i danced", "my grandma dances", "our dog howls", "the whole bus sang", "we ran"}},
    {"lyric",
     {"la la la", "hey oh", "dance until morning", "one more time", "oh oh ooooh", "shake, shake",
      "everybody move"}},
    {"lyric again",
     {"*breaks the chair*", "*sings in the shower*", "wakes the neighbours", "cries"}},
    {"love", {"❤", "❤❤❤", "😍", "<3", "🔥🔥", "wow", "♥♥", "👏", "ooooh", "10/10"}},
    {"somewhere", {"in the shop", "at work", "in my dream", "in the gym", "on the radio"}},
    {"reaction",
     {"everyone got up", "i got goose bumps", "my cat left", "i smiled", "we all sang",
      "i had to stop the car"}},
    {"relative", {"sister", "dad", "mother", "cousin", "little brother", "teacher", "neighbour"}},
    {"relative does",
     {"sings", "hates", "dances to", "plays the piano to", "cannot stand", "discovered"}},
    {"agree",
     {"agree", "are here in {year}", "love {this song}", "came from {place}", "hate mondays"}},
    {"dare", {"dance in public", "shave my head", "sing it live", "learn the piano"}},
    {"who cares", {"who cares", "well", "ok", "by the way"}},
    {"number",
     {"3", "5", "7", "10", "12", "50", "90", "100", "250", "400", "500", "1,000", "2,000", "3,500",
      "10,000"}},
    {"link",
     {"http://{word}-{word}.example/{code}", "www.{word}{word}.example",
      "https://{word}.example/watch?v={code}{code}", "{word} dot example",
      "{word}{word}.example/{code}"}},
    {"word",
     {"happy", "beat", "quick", "star", "cash", "play", "tune", "blue", "mega", "fan", "lucky",
      "vid", "super", "click"}},
    {"code", {"{character}{character}{character}{character}{character}"}},
    {"character", {"a", "B", "c", "D", "e", "F", "g", "H", "3", "4", "7", "9", "k", "M", "x", "Z"}},
    {"author",
     {"{first} {last}", "{first} {last}", "{first}{number}", "{word}{word}{number}",
      "{first} \"{word}\" {last}", "{last}, {first}", "The {word} {word}"}},
    {"first",
     {"Ana",  "Bram",  "Chen",  "Dilek", "Emre", "Fatou", "Goran", "Hana", "Ines", "Jörg",
      "Kofi", "Leila", "Márta", "Noor",  "Olga", "Pavel", "Quinn", "Rosa", "Sven", "Tariq"}},
    {"last",
     {"Adler", "Bakker", "Costa", "Demir", "Evans", "Ferrari", "García", "Hughes", "Ivanov",
      "Jansen", "Kowalski", "Li", "Mensah", "Núñez", "Okafor", "Patel", "Rossi", "Sato"}},
};

static const GrammarRule *find_rule(const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (strlen(rules[i].name) == length && strncmp(rules[i].name, name, length) == 0)
            return &rules[i];
    return NULL;
}

/* Recursion ends because no rule leads back to itself; the unit test draws from all of them. */
static void expand(const char *name, size_t length, Random *random, TextBuilder *out)
{
    const GrammarRule *rule = find_rule(name, length);
    const char *text;
    size_t count = 0;

    assert(rule);
    while (count < COUNT(rule->texts) && rule->texts[count])
        count++;
    text = rule->texts[random_below(random, count)];
    while (*text) {
        size_t plain = strcspn(text, "{"), inside;

        text_append_bytes(out, text, plain);
        text += plain;
        if (!*text)
            break;
        inside = strcspn(text, "}") - 1;
        expand(text + 1, inside, random, out);
        text += inside + 2;
    }
}

const char *grammar_draw(const char *rule, Random *random, Arena *arena)
{
    TextBuilder out = {.arena = arena};

    expand(rule, strlen(rule), random, &out);
    return text_trim(text_built(&out), arena);
}
