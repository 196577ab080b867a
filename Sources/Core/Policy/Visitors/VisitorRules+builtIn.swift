import Model

/// The built-in rules. Whoever changes a line changes the version.
extension VisitorRules {
    package static let builtInVersion = "2026-11-30"

    package static let builtInRules: [VisitorRule] = [methods] + mailboxes + [scanners, vendors, previews, crawlers, libraries]

    private static let methods = VisitorRule(
        VisitorRule.Condition(methods: [.head]), .machine, name: "HEAD",
        source: "RFC 9110 section 9.3.2: a browser that shows a page or a picture asks for it by GET")

    /// What providers of mailboxes and mail programs do for their users.
    private static let mailboxes = [
        rule(
            ["^Mozilla/5.0$"], in: "apple-proxy", .machine, "Apple Mail Privacy Protection",
            "apple.com/legal/privacy/data/en/mail-privacy-protection: pictures are loaded whether or not somebody looks"),
        rule(["^Mozilla/5.0$"], .machine, "a program that says no more than Mozilla/5.0", "no browser does: RFC 9110 section 10.1.5"),
        rule(
            [
                "^Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
                    + "Safari/537.36 Edge/12.246 Mozilla/5.0$"
            ], .machine, "Gmail's prefetch", "sparkpost.com/blog/gmail-prefetching-images: of 9.8 billion opens in December 2021"),
        rule(
            ["GoogleImageProxy"], on: [.open, .view], .proxied, "Gmail's image proxy",
            "scientiamobile.com/what-is-google-image-proxy: it asks for pictures that are to be shown"),
        rule(["YahooMailProxy"], on: [.open, .view], .proxied, "Yahoo's mail proxy", "help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"),
        rule(
            ["GoogleImageProxy", "YahooMailProxy"], .machine, "a mail proxy that follows links",
            "the same; readers follow links themselves"),
        rule(
            ["Microsoft Office Existence Discovery", "Microsoft Office Protocol Discovery", "Microsoft-WebDAV-MiniRedir"], .machine,
            "Office looks at a link before it opens the browser", "learn.microsoft.com/office/client-developer: Office protocol discovery"),
        rule(["^$"], .machine, "no user agent", "check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect"),
    ]

    /// Those that say who they are. Most do not, and are seen by what they follow.
    private static let scanners = rule(
        [
            "barracuda", "proofpoint", "mimecast", "CiscoSecureEmail", "ironport", "fireeye", "symantec", "messagelabs", "fortimail",
            "forcepoint", "sophos", "trendmicro", "trend micro", "palo alto networks", "safelinks", "virustotal", "urlscan", "checkphish",
            "vadesecure", "vade secure",
        ], .machine, "a security scanner", "check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect")

    private static let vendors = VisitorRule(
        VisitorRule.Condition(networks: ["barracuda", "mimecast", "proofpoint"]), .machine, name: "a security vendor's network",
        source: "the pages that are named beside the networks")

    private static let previews = rule(
        [
            "slackbot", "slack-imgproxy", "facebookexternalhit", "facebookexternalua", "^WhatsApp/", "telegrambot", "twitterbot",
            "linkedinbot", "discordbot", "skypeuripreview", "bingpreview", "snap url preview", "iframely", "embedly",
            "google-pagerenderer", "google-safety",
        ], .machine, "a link's preview", "suped.com/learn: how to identify bot user agents in e-mail click data")

    /// Cubot makes telephones.
    private static let crawlers = rule(
        ["bot/", "bot;", "bot)", "crawler", "spider", "headlesschrome", "phantomjs", "puppeteer", "playwright"], butNot: ["cubot"],
        .machine, "a crawler", "github.com/monperrus/crawler-user-agents")

    private static let libraries = rule(
        [
            "python-requests", "python-urllib", "python-httpx", "aiohttp", "^Go-http-client", "^curl/", "^Wget/", "^Java/",
            "Apache-HttpClient", "lua-resty-http", "libwww-perl", "^Ruby", "^axios/", "node-fetch", "^undici", "^node$", "guzzlehttp",
            "^PHP/", "scrapy", "^AHC/", "^Jetty/", "HubSpot Connect", "Amazon CloudFront",
        ], .machine, "a program's library", "suped.com/learn: how to identify bot user agents in e-mail click data")

    private static func rule(
        _ agents: [String], butNot: [String] = [], in network: String? = nil, on actions: Set<TrackedAction> = [],
        _ visitor: VisitorClass, _ name: String, _ source: String
    ) -> VisitorRule {
        var condition = VisitorRule.Condition(
            agents: agents.map { AgentPattern(known: $0) }, networks: network.map { [$0] } ?? [], actions: actions)
        condition.butNot = butNot.map { AgentPattern(known: $0) }
        return VisitorRule(condition, visitor, name: name, source: source)
    }
}
