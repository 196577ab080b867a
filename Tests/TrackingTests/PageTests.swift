import Model
import Signing
import Telemetry
import Testing
import Text

@testable import Tracking

/// The pages that visitors see, and the form of the page of preferences.
@Suite struct PageTests {
    private func preferences(
        all: RecipientPreferences.Choice = .wanted, _ categories: [(String, RecipientPreferences.Choice)]
    ) -> RecipientPreferences {
        RecipientPreferences(channel: .email, category: "news", all: all, categories: categories.map { .init($0.0, $0.1) })
    }

    private func page(_ preferences: RecipientPreferences, _ look: PageLook = PageLook()) -> String {
        PreferencePage(preferences: preferences, pages: TrackerPages(.english, look, base: "")).response(isSaved: false).body.text
    }

    @Test func everyLanguageHasEveryText() {
        for language in PageLanguage.all {
            #expect(language.missing.isEmpty, "\(language.code)")
            for text in PageText.allCases { #expect(!language[text].contains { "<>&\"".contains($0) }, "\(language.code) \(text)") }
        }
        #expect(PageLanguage.all.count >= 10 && PageLanguage.all.filter(\.isRightToLeft).map(\.code) == ["ar"])
    }

    @Test func theVisitorsLanguageIsChosen() {
        let known = ["en", "de", "fr", "pt"]
        for (field, expected) in [
            ("", "en"), ("de", "de"), ("de-AT, en;q=0.5", "de"), ("en;q=0.5,fr;q=0.9", "fr"), ("xx, *;q=0.1", "en"), ("de;q=0", "en"),
            ("PT-br", "pt"), (" fr ; q=1.0 ", "fr"), ("de;q=x,fr;q=0.1", "fr"), ("en,de", "en"), (";;;,,,=q", "en"), ("zh_TW,de_DE", "de"),
            (String(repeating: "x,", count: 50_000) + "de", "en"),
        ] { #expect(AcceptedLanguages.choose(field, among: known) == expected, "\(field.prefix(40))") }
    }

    @Test func pagesAreInTheVisitorsLanguageAndSayWhoSends() throws {
        let keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        var configuration = Tracker.Configuration(url: "https://t.example.com", keys: keys)
        configuration.look = PageLook(
            name: "A & <B>", colour: PageColour("#036"), background: PageColour("#fffbe6"), logo: "https://a.example:8443/logo.png")
        let tracker = Tracker(configuration)
        var path = Array("/u/".utf8)
        keys.appendToken(.unsubscribe, try #require(TokenSubject(mailing: 7, batch: 8, index: 9)), to: &path)
        func page(_ language: String) -> WebResponse {
            let target = String(decoding: path, as: UTF8.self)
            return tracker.answer(WebRequest(.get, target, headers: ["Accept-Language": language]), at: 0).response
        }
        #expect(page("ar").body.text.contains(#"<html lang="ar" dir="rtl">"#) && page("de").body.text.contains("Möchten Sie"))
        let english = page("tlh")
        #expect(english.body.text.contains("<title>Unsubscribe – A &amp; &lt;B&gt;</title>") && english.value("Content-Language") == "en")
        #expect(english.body.text.contains(#"<img src="https://a.example:8443/logo.png" alt="A &amp; &lt;B&gt;">"#))
        let policy = try #require(english.value("Content-Security-Policy"))
        #expect(policy.contains("img-src https://a.example:8443;") && !policy.contains("unsafe") && !policy.contains("script-src"))
        #expect(english.body.text.contains("href=\"/style.css?036-fffbe6\""))
        let style = tracker.answer(WebRequest(.get, "/style.css?036-fffbe6"), at: 0).response.body.text
        #expect(style.contains("--action: #036; --ink: #fff;") && style.contains("--page: #fffbe6; --text: #1b1b1b;"))
        for text in ["red", "#12", "#gggggg", ""] { #expect(PageColour(text) == nil) }
        #expect(PageColour("#ffff00")?.isLight == true)
    }

    @Test func aTemplateOfOnesOwnIsFilledOnce() {
        let look = PageLook(name: "{{content}}", template: "<html lang={{lang}}>{{name}}|{{title}}|{{content}}|{{other}}{{")
        let text = page(preferences([]), look)
        #expect(text.hasPrefix("<html lang=en>{{content}}|Your messages – {{content}}|<main>") && text.hasSuffix("|{{other}}{{"))
    }

    @Test func everyCategoryHasABoxWithALabel() {
        let text = page(preferences([("news", .wanted), ("offers", .declined), ("alerts", .excluded)]))
        #expect(text.contains(#"<input type="checkbox" id="c0" name="c" value="news" checked><label for="c0">news</label>"#))
        #expect(text.contains(#"<input type="checkbox" id="c1" name="c" value="offers"><label for="c1">offers</label>"#))
        #expect(text.contains(#"name="c" value="alerts" disabled>"#) && !text.contains(#"name="n" value="alerts""#))
        #expect(text.contains("Unsubscribe from all") && text.contains(#"<form method="post" action="?save">"#))
        let none = page(preferences(all: .declined, [("news", .wanted)]))
        #expect(none.contains("You do not get any messages now.") && !none.contains(" checked") && !none.contains("Unsubscribe from all"))
        #expect(page(preferences(all: .excluded, [("news", .wanted)])).contains("This cannot be changed here"))
        #expect(page(preferences([])).contains("Stop these messages"))
        #expect(page(preferences(all: .declined, [])).contains("Get these messages again"))
    }

    /// The form of the page itself says what the visitor changed.
    @Test func aFormSaysWhatChanged() {
        func change(_ body: String) -> PreferenceChange { PreferenceForm(Array(body.utf8)).change }
        #expect(change("c=news&w=news&w=offers&n=alerts&m=news") == PreferenceChange(categories: ["offers": false]))
        #expect(change("c=news&c=alerts&w=news&n=alerts") == PreferenceChange(categories: ["alerts": true]))
        #expect(change("c=news&n=news&n=offers&a=0") == PreferenceChange(all: true, categories: ["news": true, "offers": false]))
        #expect(change("n=news&a=0").isEmpty && change("c=never-shown").isEmpty && change("").isEmpty)
        #expect(change("c=%6Eews&n=%6eews").categories == ["news": true])
        #expect(PreferenceForm(Array("m=news".utf8)).category == "news")
        // A page with nothing that can be changed has no more than this, as has one of a message without a category.
        #expect(!PreferenceForm(Array("m=".utf8)).isEmpty && PreferenceForm(Array("m".utf8)).isEmpty)
    }

    @Test(arguments: 0..<5 as Range<UInt64>) func noFormEndsTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = ["c=", "w=", "n=news", "a", "m=", "&", "=", "%", "%4", "%zz", "+", "é", String(repeating: "x", count: 100)]
        for _ in 0..<2000 {
            let body = (0..<Int.random(in: 0..<20, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let form = PreferenceForm(Array(body.utf8))
            #expect(form.checked.union(form.wanted).union(form.unwanted).allSatisfy { Category.fault($0) == nil })
        }
        #expect(PreferenceForm(Array(String(repeating: "n=a&", count: 10_000).utf8)).unwanted == ["a"])
    }

    @Test func aLargestFormFitsIntoARequest() {
        let names = (0..<RecipientPreferences.most).map { "\($0)".padded(to: Category.longest) }
        let body = names.map { "c=\($0)&w=\($0)" }.joined(separator: "&") + "&m=\(names[0])&a=0"
        #expect(body.utf8.count <= 16 << 10)
        let form = PreferenceForm(Array(body.utf8))
        #expect(form.wanted.count == names.count && form.category == names[0] && form.isAllDeclined)
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String { self + String(repeating: "x", count: count - utf8.count) }
}
