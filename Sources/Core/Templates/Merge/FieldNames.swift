import Model
import Text

/// The fields that a template may name, and the nearest of them to a name that is none.
struct FieldNames {
    let names: [String]
    private let columns: [String: Int]
    private let nested: Set<Int>
    /// The column that says which values are JSON; nil where any value of a nested column is JSON if it can be read as such.
    let kinds: Int?

    /// The pages of the tracker that are fields, too.
    private let pages: Set<TrackerPage>

    /// The fields of a mailing's texts.
    init(of mailing: Mailing) {
        self.init(mailing.fields, nested: mailing.nestedFields, pages: TrackerPage.all(of: mailing))
    }

    init(_ names: [String], nested: [String], pages: Set<TrackerPage> = []) {
        self.pages = pages
        self.names = names
        let columns = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        self.columns = columns
        kinds = names.count > 2 && names.last == ValueKinds.field ? names.count - 1 : nil
        self.nested = Set(nested.compactMap { columns[$0] })
    }

    /// The column of a name; an editor's no-break space in it is as good as a space.
    func column(_ name: String) -> Int? {
        columns[name] ?? columns[String(name.map { $0 == "\u{a0}" ? " " : $0 })]
    }

    /// The page of the tracker that a name stands for; a column of that name comes first.
    func page(_ name: String) -> TrackerPage? {
        guard let page = TrackerPage(rawValue: name), pages.contains(page), column(name) == nil else { return nil }
        return page
    }

    /// The column's values may be JSON lists or objects.
    func isNested(_ column: Int) -> Bool { nested.contains(column) }

    /// A section of that name may be written several times: it repeats for a list, or for a list inside a list.
    func mayRepeat(_ name: String) -> Bool {
        if let column = columns[name] { return nested.contains(column) }
        return !nested.isEmpty
    }

    /// What to tell the writer of an unknown name, and what to do.
    func unknown(_ name: String) -> (what: String, remedy: String) {
        guard let page = TrackerPage(rawValue: name) else { return ("unknown field '\(name)'", advice(for: name)) }
        let what = "'\(name)' is the address of a page of the tracker"
        if pages.contains(page) { return ("\(what), and no section", "write {{\(name)}} alone: every message has that page") }
        guard pages.isEmpty else {
            return (
                "\(what) that shows the message to its reader, and what a webhook is sent has none (docs/tracking.md)",
                "remove it, or give the recipients a field of that name"
            )
        }
        return (
            "\(what), and there is none here",
            "set tracker.url in flotilla.yaml, and write the field in html, text or body (docs/tracking.md)"
        )
    }

    /// The nearest field, and all there are.
    private func advice(for name: String) -> String {
        let names = names.filter { $0 != ValueKinds.field }
        let shown = names.prefix(40).joined(separator: ", ") + (names.count > 40 ? ", … (\(names.count) in all)" : "")
        let nearest = NearestName.of(name, among: names).map { "did you mean '\($0)'? " } ?? ""
        return "\(nearest)the recipients have: \(shown)"
    }
}
