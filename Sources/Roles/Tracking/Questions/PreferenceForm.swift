import Model
import Text

/// What a visitor sent by the form of the page of preferences. Anybody may have sent it: names are checked where they are used.
struct PreferenceForm: Equatable {
    /// Categories that are wanted now; those that were wanted when the page was made, and those that were not.
    private(set) var checked: Set<String> = []
    private(set) var wanted: Set<String> = []
    private(set) var unwanted: Set<String> = []
    /// The category of the message; the page says so, too, where there is none.
    private(set) var category = ""
    private var hasCategory = false
    /// Nothing of the channel was wanted.
    private(set) var isAllDeclined = false

    /// It has no field that the page has: the page did not send it.
    var isEmpty: Bool { self == PreferenceForm([]) }

    /// Whether a body of a content type is such a form. A program that names none is believed (RFC 9110 section 8.3).
    static func isSent(as type: String?) -> Bool {
        guard let type else { return true }
        let name = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        return name == "application/x-www-form-urlencoded"
    }

    /// Fields that are looked at.
    private static let most = 3 * RecipientPreferences.most + 2

    /// - Parameter body: `application/x-www-form-urlencoded` (URL Standard section 5).
    init(_ body: [UInt8]) {
        for field in body.split(separator: UInt8(ascii: "&"), maxSplits: Self.most).prefix(Self.most) {
            let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = String(validating: parts[0], as: UTF8.self),
                let value = PercentEncoding.decode(String(decoding: parts[1], as: UTF8.self))
            else { continue }
            let isCategory = Category.fault(value) == nil
            switch name {
            case "c" where isCategory: checked.insert(value)
            case "w" where isCategory: wanted.insert(value)
            case "n" where isCategory: unwanted.insert(value)
            case "m" where isCategory || value.isEmpty: (category, hasCategory) = (value, true)
            case "a": isAllDeclined = true
            default: break
            }
        }
    }

    /// What the visitor changes. A box that the page did not have changes nothing.
    var change: PreferenceChange {
        let shown = wanted.union(unwanted)
        let on = checked.intersection(shown)
        var change = PreferenceChange()
        if isAllDeclined {
            // Without a box nothing is wanted, as before.
            guard !on.isEmpty else { return change }
            change.all = true
            for name in shown { change.categories[name] = on.contains(name) }
        } else {
            for name in wanted.subtracting(on) { change.categories[name] = false }
            for name in unwanted.subtracting(wanted).intersection(on) { change.categories[name] = true }
        }
        return change
    }
}

extension RecipientPreferences {
    /// What a recipient changes who takes back or declines mailings such as the one that he got.
    func change(ofOwn isWanted: Bool) -> PreferenceChange {
        var change = PreferenceChange()
        if category.isEmpty { change.all = isWanted } else { change.categories[category] = isWanted }
        return change
    }

    /// The part of a change that is about what the page shows. Anybody can send other names.
    func known(of change: PreferenceChange) -> PreferenceChange {
        var known = change
        let names = Set(categories.map(\.name) + [category])
        known.categories = change.categories.filter { names.contains($0.key) }
        return known
    }

    /// What they are once a change of their recipient is carried out: he takes back what he declined, and no more.
    func changed(by change: PreferenceChange) -> RecipientPreferences {
        func choice(_ before: Choice, _ isWanted: Bool?) -> Choice {
            guard let isWanted, before != .excluded else { return before }
            return isWanted ? .wanted : .declined
        }
        var result = self
        result.all = choice(all, change.all)
        for place in categories.indices {
            result.categories[place].choice = choice(categories[place].choice, change.categories[categories[place].name])
        }
        return result
    }
}
