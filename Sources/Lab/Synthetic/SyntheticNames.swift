/// The words of invented recipients: names and cities in many scripts, and products that need quotation marks.
enum SyntheticNames {
    struct Locale {
        let language: String
        /// First and last names as the person writes them, and as they stand in an address.
        let first: [(written: String, plain: String)]
        let last: [(written: String, plain: String)]
        let cities: [String]
    }

    static let locales: [Locale] = [
        Locale(
            language: "en",
            first: [("Anna", "anna"), ("James", "james"), ("Grace", "grace"), ("Oliver", "oliver"), ("Zoë", "zoe")],
            last: [
                ("Smith", "smith"), ("O'Brien", "obrien"), ("Taylor", "taylor"), ("Nguyen-Clarke", "nguyen-clarke"),
            ],
            cities: ["London", "Leeds", "Boston", "Portland, OR"]),
        Locale(
            language: "de",
            first: [("Jürgen", "juergen"), ("Käthe", "kaethe"), ("Lukas", "lukas"), ("Sophie", "sophie")],
            last: [
                ("Müller", "mueller"), ("Weiß", "weiss"), ("von der Heide", "vonderheide"), ("Schröder", "schroeder"),
            ],
            cities: ["Köln", "München", "Halle (Saale)", "Frankfurt, Oder"]),
        Locale(
            language: "fr",
            first: [("Élodie", "elodie"), ("François", "francois"), ("Chloé", "chloe"), ("Jean-Luc", "jean-luc")],
            last: [("Lefèvre", "lefevre"), ("d'Arc", "darc"), ("Garçon", "garcon"), ("Noël", "noel")],
            cities: ["Nîmes", "Besançon", "L'Haÿ-les-Roses", "Paris"]),
        Locale(
            language: "pl",
            first: [("Łucja", "lucja"), ("Michał", "michal"), ("Zażółć", "zazolc"), ("Świętosława", "swietoslawa")],
            last: [("Wójcik", "wojcik"), ("Źródło", "zrodlo"), ("Kowalczyk", "kowalczyk"), ("Jabłoński", "jablonski")],
            cities: ["Łódź", "Kraków", "Gdańsk", "Wrocław"]),
        Locale(
            language: "vi",
            first: [("Hương", "huong"), ("Đức", "duc"), ("Thủy", "thuy"), ("Quốc", "quoc")],
            last: [("Nguyễn", "nguyen"), ("Trần", "tran"), ("Phạm", "pham"), ("Đặng", "dang")],
            cities: ["Hà Nội", "Đà Nẵng", "Cần Thơ", "Huế"]),
        Locale(
            language: "uk",
            first: [("Олена", "olena"), ("Їжак", "yizhak"), ("Тарас", "taras"), ("Соломія", "solomiia")],
            last: [("Шевченко", "shevchenko"), ("Ґалаґан", "galagan"), ("Бондар", "bondar"), ("Лис", "lys")],
            cities: ["Київ", "Львів", "Одеса", "Харків"]),
        Locale(
            language: "el",
            first: [("Ελένη", "eleni"), ("Γιώργος", "giorgos"), ("Άννα", "anna"), ("Νίκος", "nikos")],
            last: [
                ("Παπαδόπουλος", "papadopoulos"), ("Ιωάννου", "ioannou"), ("Σαμαράς", "samaras"), ("Ρήγας", "rigas"),
            ],
            cities: ["Αθήνα", "Θεσσαλονίκη", "Πάτρα", "Ηράκλειο"]),
        Locale(
            language: "ar",
            first: [("فاطمة", "fatima"), ("محمد", "mohamed"), ("ليلى", "layla"), ("يوسف", "youssef")],
            last: [("الحسن", "alhassan"), ("منصور", "mansour"), ("خوري", "khoury"), ("سعيد", "said")],
            cities: ["القاهرة", "دبي", "عمّان", "بيروت"]),
        Locale(
            language: "he",
            first: [("נועה", "noa"), ("דוד", "david"), ("שרה", "sara"), ("יונתן", "yonatan")],
            last: [("כהן", "cohen"), ("לוי", "levi"), ("פרידמן", "friedman"), ("אברהם", "avraham")],
            cities: ["תל אביב", "ירושלים", "חיפה", "באר שבע"]),
        Locale(
            language: "hi",
            first: [("प्रिया", "priya"), ("अर्जुन", "arjun"), ("लक्ष्मी", "lakshmi"), ("रवि", "ravi")],
            last: [("शर्मा", "sharma"), ("गुप्ता", "gupta"), ("सिंह", "singh"), ("पटेल", "patel")],
            cities: ["दिल्ली", "मुंबई", "जयपुर", "वाराणसी"]),
        Locale(
            language: "zh",
            first: [("伟", "wei"), ("秀英", "xiuying"), ("芳", "fang"), ("𠮷", "ji")],
            last: [("王", "wang"), ("李", "li"), ("欧阳", "ouyang"), ("诸葛", "zhuge")],
            cities: ["北京", "上海", "广州", "成都"]),
        Locale(
            language: "ja",
            first: [("さくら", "sakura"), ("ハルト", "haruto"), ("美咲", "misaki"), ("大翔", "hiroto")],
            last: [("佐藤", "sato"), ("髙橋", "takahashi"), ("わたなべ", "watanabe"), ("ヤマモト", "yamamoto")],
            cities: ["東京", "大阪", "つくば", "札幌"]),
        Locale(
            language: "ko",
            first: [("민준", "minjun"), ("서연", "seoyeon"), ("지우", "jiwoo"), ("하은", "haeun")],
            last: [("김", "kim"), ("이", "lee"), ("박", "park"), ("남궁", "namgung")],
            cities: ["서울", "부산", "대구", "제주"]),
    ]

    /// With delimiters, quotation marks, a line break and characters that HTML escapes.
    static let products = [
        "Tea pot", "Walking boots", "Desk lamp, brass", "\"Orion\" telescope", "Salt & pepper mill",
        "Cup, 6 pieces; blue",
        "Notebook <A5>", "Rain jacket \"Föhr\", size M", "Garden set:\n4 chairs, 1 table", "Head torch",
        "Wool blanket 100 %",
        "Crème brûlée set", "Kite 🪁", "Bicycle bell", "Lunch box",
    ]

    /// Reserved for examples and tests, so that mail reaches nobody (RFC 2606, RFC 6761).
    static let domains = [
        "example.com", "example.org", "example.net", "mail.example.com", "post.example", "shop.example",
        "students.example",
        "north.test", "office.test",
    ]
}
