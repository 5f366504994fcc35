"""Every sentence that a check of a playbook may say, in English and in German.

The key is the name of the rule: it stays the same, whatever the sentences become.
"""

SENTENCES: dict[str, tuple[str, str]] = {
    # the document
    "not-json": (
        "The document is no strict JSON object: {reason}",
        "Das Dokument ist kein strenges JSON-Objekt ({reason})",
    ),
    "number-too-large": (
        "A number is too large for the canonical form.",
        "Eine Zahl ist zu groß für die kanonische Form.",
    ),
    # the schema
    "wrong-kind": ("The value is not of type {kind}.", "Der Wert ist nicht vom Typ {kind}."),
    "missing": ("The property {name} is missing.", "Das Feld {name} fehlt."),
    "forbidden": (
        "The property {name} must not stand here.",
        "Das Feld {name} darf hier nicht stehen.",
    ),
    "wrong-form": (
        "The text does not have the right form: {form}.",
        "Der Text hat nicht die richtige Form: {form}.",
    ),
    "not-among": ("The value is not one of {words}.", "Der Wert ist keiner von {words}."),
    "too-small": ("The number is less than {limit}.", "Die Zahl ist kleiner als {limit}."),
    "too-great": ("The number is greater than {limit}.", "Die Zahl ist größer als {limit}."),
    "too-few": ("It has fewer than {limit} items.", "Es hat weniger als {limit} Einträge."),
    "too-many": ("It has more than {limit} items.", "Es hat mehr als {limit} Einträge."),
    "too-long": (
        "The text is longer than {limit} characters.",
        "Der Text ist länger als {limit} Zeichen.",
    ),
    "not-base64": ("The text is not base64.", "Der Text ist kein base64."),
    "one-key": (
        "A signature names its key in exactly one way: {words}.",
        "Eine Signatur nennt ihren Schlüssel auf genau eine Art: {words}.",
    ),
    # what the schema lets pass
    "unknown-property": (
        "The property {name} is not known here.",
        "Das Feld {name} ist hier nicht bekannt.",
    ),
    "unknown-key": (
        "The key {name} does not have the right form.",
        "Der Schlüssel {name} hat nicht die richtige Form.",
    ),
    "unknown-agent-type": (
        "The type of {name} is not known; this center decides who does its steps.",
        "Der Typ von {name} ist nicht bekannt; wer seine Schritte tut, bestimmt dieses Zentrum.",
    ),
    "unknown-extension": (
        "The extension {name} is kept and not used.",
        "Die Erweiterung {name} bleibt erhalten und wird nicht benutzt.",
    ),
    "undefined-extension": (
        "The extension {name} is used and not defined in extension_definitions.",
        "Die Erweiterung {name} wird benutzt und ist in extension_definitions nicht beschrieben.",
    ),
    "times-reversed": ("{first} lies after {second}.", "{first} liegt nach {second}."),
    "wrong-time": (
        "This date or time does not exist.",
        "Dieses Datum oder diese Zeit gibt es nicht.",
    ),
    "plain-secret": (
        "A secret stands here in the open; name it by a variable or leave it empty.",
        "Hier steht ein Geheimnis offen; nennen Sie es über eine Variable oder lassen Sie es leer.",
    ),
    "several-markings": (
        "The playbook carries more than one TLP level.",
        "Das Playbook trägt mehr als eine TLP-Stufe.",
    ),
    "unresolved-marking": (
        "The marking {name} is not defined here.",
        "Die Kennzeichnung {name} ist hier nicht beschrieben.",
    ),
    # the graph
    "no-start": (
        "workflow_start names no start step.",
        "workflow_start nennt keinen Startschritt.",
    ),
    "dangling": (
        "It points to {name}, which is not there.",
        "Es zeigt auf {name}; diesen Schritt gibt es nicht.",
    ),
    "to-start": ("It points to a start step.", "Es zeigt auf einen Startschritt."),
    "no-next": (
        "The step leads nowhere; a branch ends in its own end step.",
        "Der Schritt führt nirgendwohin; ein Zweig endet in seinem eigenen Endschritt.",
    ),
    "two-nexts": (
        "on_completion excludes on_success and on_failure.",
        "on_completion schließt on_success und on_failure aus.",
    ),
    "cycle": (
        "The steps lead in a circle; only while-condition repeats, and its branch has its own end.",
        "Die Schritte führen im Kreis; nur while-condition wiederholt, mit eigenem Ende im Zweig.",
    ),
    "shared-step": (
        "The step belongs to two branches: those of {first} and of {second}.",
        "Der Schritt gehört zu zwei Zweigen: denen von {first} und von {second}.",
    ),
    "same-branch-twice": (
        "Two parallel branches are the same.",
        "Zwei parallele Zweige sind derselbe.",
    ),
    "unreachable": (
        "The step is never reached.",
        "Der Schritt wird nie erreicht.",
    ),
    "too-deep": (
        "The branches are nested deeper than {limit}.",
        "Die Zweige sind tiefer als {limit} geschachtelt.",
    ),
    "too-many-rounds": (
        "Loops inside of loops may come to more than {limit} rounds.",
        "Schleifen in Schleifen können auf mehr als {limit} Runden kommen.",
    ),
    "no-default": (
        "There is no case 'default': another value makes the step fail.",
        "Es fehlt der Fall 'default': Bei einem anderen Wert scheitert der Schritt.",
    ),
    # variables and conditions
    "unknown-variable-type": (
        "The type {name} of the variable is not known.",
        "Der Typ {name} der Variablen ist nicht bekannt.",
    ),
    "wrong-value": (
        "The value does not fit the type {kind}.",
        "Der Wert passt nicht zum Typ {kind}.",
    ),
    "constant-without-value": (
        "The variable is constant and has no value.",
        "Die Variable ist konstant und hat keinen Wert.",
    ),
    "shadows": (
        "A variable of the playbook has the same name.",
        "Eine Variable des Playbooks heißt genauso.",
    ),
    "undeclared": (
        "The variable {name} is used and not declared.",
        "Die Variable {name} wird benutzt und ist nicht vereinbart.",
    ),
    "never-set": (
        "The variable {name} is read here and nothing ever gives it a value.",
        "Die Variable {name} wird hier gelesen und bekommt nirgends einen Wert.",
    ),
    "constant-changed": (
        "The variable {name} is constant and cannot be a result.",
        "Die Variable {name} ist konstant und kann kein Ergebnis sein.",
    ),
    "bad-condition": (
        "The condition cannot be read: {reason}",
        "Die Bedingung ist nicht lesbar ({reason})",
    ),
    "bad-comparison": (
        "The variable {name} of type {kind} cannot be compared with {literal}.",
        "Die Variable {name} vom Typ {kind} lässt sich nicht mit {literal} vergleichen.",
    ),
    "bad-switch": (
        "The expression is not one variable, written as __name__:value.",
        "Der Ausdruck ist nicht eine Variable in der Form __name__:value.",
    ),
    # agents, commands, duties
    "unresolved-agent": (
        "The agent {name} is not defined.",
        "Der Agent {name} ist nicht beschrieben.",
    ),
    "unresolved-target": (
        "The target {name} is not defined.",
        "Das Ziel {name} ist nicht beschrieben.",
    ),
    "unresolved-secret": (
        "The authentication information {name} is not defined.",
        "Die Anmeldung {name} ist nicht beschrieben.",
    ),
    "no-target": (
        "A command of this kind needs a target with an address.",
        "Ein Befehl dieser Art braucht ein Ziel mit einer Adresse.",
    ),
    "unknown-command": (
        "Commands of type {name} are not carried out here.",
        "Befehle vom Typ {name} werden hier nicht ausgeführt.",
    ),
    "needs-agent": (
        "Commands of type {name} need an agent at the county; until then they wait for people.",
        "Befehle vom Typ {name} brauchen einen Agenten im Landkreis; bis dahin tun es Menschen.",
    ),
    "one-command": (
        "The command stands in exactly one of command and command_b64.",
        "Der Befehl steht in genau einem von command und command_b64.",
    ),
    "not-text": ("What is encoded here is no text.", "Was hier verpackt ist, ist kein Text."),
    "pasted": (
        "A variable may be a whole text of JSON content, and no part of an address or header.",
        "Eine Variable darf ein ganzer Text im JSON-Inhalt sein, kein Teil von Adresse oder Kopf.",
    ),
    "foreign-argument": (
        "The argument {name} does not belong to this step's commands.",
        "Die Angabe {name} gehört nicht zu den Befehlen dieses Schritts.",
    ),
    "argument-type": (
        "A variable of type {kind} cannot stand here.",
        "Eine Variable vom Typ {kind} kann hier nicht stehen.",
    ),
    "several-commands": (
        "A step that does {name} does nothing else.",
        "Ein Schritt mit {name} tut sonst nichts.",
    ),
    "no-revert": (
        "A step that blocks names the step that takes it back, in revert.",
        "Ein Schritt, der sperrt, nennt unter revert den Schritt, der es zurücknimmt.",
    ),
    "not-asked": (
        "The question is about {name}, which is not in out_args.",
        "Die Frage betrifft {name}; das steht nicht in out_args.",
    ),
    "question-type": (
        "An answer of kind {name} does not fit a variable of type {kind}.",
        "Eine Antwort der Art {name} passt nicht zu einer Variablen vom Typ {kind}.",
    ),
    "no-choices": (
        "Two to twenty choices belong to a question of kind choice, and to no other.",
        "Zwei bis zwanzig Antworten gehören zu einer Frage der Art choice, und nur zu dieser.",
    ),
    "nobody-asks": (
        "No question of this playbook fills {name}.",
        "Keine Frage dieses Playbooks füllt {name}.",
    ),
    "sum-type": (
        "A variable of type {kind} cannot hold this sum of {name}.",
        "Eine Variable vom Typ {kind} kann diese Summe von {name} nicht aufnehmen.",
    ),
    "sum-answer": (
        "Nobody can be counted here who answers {name}.",
        "Wer {name} antwortet, lässt sich hier nicht zählen.",
    ),
    "misplaced": (
        "The entry {name} means nothing for a step of this type.",
        "Die Angabe {name} bedeutet bei einem Schritt dieser Art nichts.",
    ),
}
