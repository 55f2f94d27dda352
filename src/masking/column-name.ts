// What a column's name says of its content, in the languages that schemas are written in. A hint, never a proof.
import type { Label } from '../domain/label.ts';

/** Words are without accents; a name is split where its writing changes, and its words are looked for alone and together. */
const dictionary: readonly (readonly [Label, string])[] = [
  [
    'pii.email',
    'email emails mail mailaddress emailaddress epost eposta correo correoelectronico courriel adressemail adresseemail mailadresse posta emaill',
  ],
  [
    'pii.phone',
    'phone phones phonenumber phoneno mobile mobileno mobilenumber cell cellphone telephone tel telefon telefone telefono telefonnummer telefoon handy handynummer gsm movil celular portable cellulare komorka fax faxnumber msisdn whatsapp',
  ],
  [
    'pii.name',
    'firstname lastname surname fullname middlename maidenname givenname familyname forename customername personname contactname vorname nachname familienname prenom nomdefamille nombre apellido apellidos nome cognome sobrenome imie nazwisko voornaam achternaam cardholder cardholdername fname lname',
  ],
  [
    'pii.birth',
    'birth birthday birthdate dateofbirth dob geburtsdatum geburtstag geboren datenaissance datedenaissance naissance fechanacimiento fechadenacimiento nacimiento datanascita datadinascita nascita datanascimento nascimento dataurodzenia urodzenia geboortedatum geboorte',
  ],
  [
    'pii.address',
    'address addressline street streetaddress homeaddress postaladdress billingaddress shippingaddress zip zipcode postcode postalcode adresse anschrift strasse hausnummer plz postleitzahl codepostal rue direccion calle codigopostal indirizzo via cap endereco rua cep adres ulica kodpocztowy straat postcodes',
  ],
  [
    'pii.national-id',
    'ssn socialsecurity socialsecuritynumber nationalid nationalidentifier nino nhs nhsnumber nationalinsurance nationalinsurancenumber nir numerosecuritesociale securitesociale insee steuerid steueridentifikationsnummer steuernummer svnr sozialversicherungsnummer taxid taxnumber tin dni nie nif cpf codicefiscale codfiscale bsn burgerservicenummer sofinummer pesel aadhaar aadhar passport passportno passportnumber passnummer reisepass pasaporte passeport passaporto paspoort driverlicense driverslicense drivinglicence ausweis ausweisnummer personnummer personalausweis',
  ],
  [
    'pci.pan',
    'pan cardnumber cardno creditcard creditcardnumber debitcard ccnumber ccnum ccno primaryaccountnumber kreditkarte kreditkartennummer cartebancaire cartebleue numerocarte tarjeta numerotarjeta tarjetacredito cartadicredito numerocarta cartaocredito numerocartao kartakredytowa creditcardno',
  ],
  ['pci.cvv', 'cvv cvc cvv2 cvc2 cid securitycode cardcode cardsecuritycode'],
  [
    'pii.bank',
    'iban bankaccount bankaccountnumber accountnumber accountno kontonummer bankverbindung rib comptebancaire cuentabancaria numerocuenta contobancario contabancaria rachunek rekeningnummer sortcode routingnumber',
  ],
  [
    'pii.ip',
    'ip ipaddress ipaddr ipv4 ipv6 remoteaddr remoteip clientip sourceip lastip loginip signupip adresseip direccionip',
  ],
  [
    'pii.income',
    'salary salaries wage wages income gehalt lohn einkommen salaire revenu salario sueldo stipendio reddito wynagrodzenie pensja loon salaris',
  ],
  [
    'pii.health',
    'diagnosis diagnoses disease illness medication bloodtype allergies icd10 diagnose krankheit maladie diagnostic enfermedad diagnostico malattia diagnosi doenca choroba ziekte',
  ],
  [
    'pii.special',
    'religion ethnicity race sexualorientation politicalopinion unionmembership konfession ethnie orientationsexuelle',
  ],
  ['pii.location', 'latitude longitude geolocation gpscoordinates gps'],
  [
    'secret',
    'password passwd pwd passphrase secret secretkey apikey apitoken accesstoken refreshtoken authtoken sessiontoken token privatekey clientsecret passwordhash passworddigest hashedpassword otp otpsecret totpsecret mfasecret pin pincode recoverycode passwort kennwort motdepasse mdp contrasena clave senha haslo wachtwoord parola credentials',
  ],
];

const byWord: ReadonlyMap<string, Label> = new Map(
  dictionary.flatMap(([label, words]) => words.split(' ').map((word) => [word, label] as const)),
);

/** Words that say that a column is about such a value and does not hold it. */
const about: ReadonlySet<string> = new Set(
  `count total number_of sent opened clicked verified confirmed enabled disabled status type kind at on date updated changed expires expiry attempts failures
   template subject format policy length domain provider flag is has optin optout consent preference preferences bounced valid required score`.split(
    /\s+/,
  ),
);

/** The label that a name speaks of, or undefined. */
export function labelOfName(name: string): Label | undefined {
  const words = wordsOf(name);
  const found = wordsFound(words);
  if (found === undefined) return undefined;
  const [label, from, to] = found;
  return words.some((word, at) => (at < from || at >= to) && about.has(word)) ? undefined : label;
}

/** The longest run of words that is in the dictionary. */
function wordsFound(words: readonly string[]): [Label, number, number] | undefined {
  for (let length = Math.min(5, words.length); length > 0; length--)
    for (let from = 0; from + length <= words.length; from++) {
      const label = byWord.get(words.slice(from, from + length).join(''));
      if (label) return [label, from, from + length];
    }
  return undefined;
}

/** `homeE-Mail_2` → home, e, mail. */
export function wordsOf(name: string): string[] {
  return name
    .slice(0, 128)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll('ł', 'l')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
}

/** Words in a comment that say that whoever wrote the schema knew. */
export function speaksOfPersons(comment: string): boolean {
  return /\b(?:pii|personal data|personally identifiable|gdpr|dsgvo|rgpd|lgpd|hipaa|phi|pci|sensitive|confidential|personenbezogen\w*|vertraulich|donn[ée]es personnelles|datos personales|dati personali|dados pessoais|dane osobowe|persoonsgegevens)\b/iu.test(
    comment.slice(0, 4_096),
  );
}
