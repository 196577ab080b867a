import Model
import Telemetry
import Text

/// The page on which a recipient chooses what to get.
struct PreferencePage {
    let preferences: RecipientPreferences
    let pages: TrackerPages
    private var language: PageLanguage { pages.frame.language }

    /// The query with which its choices are saved, and that with which all mailings are declined.
    static let save = "?save"
    static let all = "?all"

    /// - Parameter isSaved: the visitor has just saved what it shows.
    func response(isSaved: Bool) -> WebResponse {
        var parts: [String] = []
        if isSaved { parts.append("<p class=\"note\" role=\"status\">\(language[.savedText])</p>") }
        if preferences.all == .declined {
            parts.append("<p>\(language[.nothingWanted]) (\(language.name(preferences.channel)))</p>")
        }
        if preferences.all == .excluded {
            parts.append("<p>\(language[.excluded])</p>")
        } else if preferences.categories.isEmpty {
            let isWanted = preferences.all == .wanted
            parts.append(form(isWanted ? "?" : TrackerPages.again, nil, isWanted ? .stopButton : .againButton, isFirst: true))
        } else {
            parts.append("<p>\(language[.choicesText])</p>")
            parts.append(form(Self.save, choices, .saveButton, isFirst: true))
            if preferences.all == .wanted { parts.append(form(Self.all, hidden("m", preferences.category), .allButton, isFirst: false)) }
        }
        return pages.frame.page(200, language[.preferencesTitle], parts.joined(separator: "\n"))
    }

    private func form(_ action: String, _ content: String?, _ button: PageText, isFirst: Bool) -> String {
        """
        <form method="post" action="\(action)">
        \(content.map { "\($0)\n" } ?? "")<button type="submit"\(isFirst ? "" : " class=\"second\"")>\(language[button])</button>
        </form>
        """
    }

    private func hidden(_ name: String, _ value: String) -> String {
        "<input type=\"hidden\" name=\"\(name)\" value=\"\(value.htmlEscaped)\">"
    }

    /// A checkbox for each category, and beside it what it said before.
    private var choices: String {
        let rows = preferences.categories.enumerated().map { place, one in
            let name = one.name.htmlEscaped
            let isWanted = one.choice == .wanted && preferences.all == .wanted
            let isFixed = one.choice == .excluded
            let state = (isWanted ? " checked" : "") + (isFixed ? " disabled" : "")
            let box = "<input type=\"checkbox\" id=\"c\(place)\" name=\"c\" value=\"\(name)\"\(state)>"
            let label = "<label for=\"c\(place)\">\(name)\(isFixed ? " – \(language[.excluded])" : "")</label>"
            let before = isFixed ? "" : hidden(isWanted ? "w" : "n", one.name)
            return "<div class=\"choice\">\(box)\(label)\(before)</div>"
        }
        let all = preferences.all == .declined ? "\n" + hidden("a", "0") : ""
        return """
            <fieldset>
            <legend>\(language.name(preferences.channel))</legend>
            \(rows.joined(separator: "\n"))
            </fieldset>
            \(hidden("m", preferences.category))\(all)
            """
    }
}
