/// What a mailing has of the tracker, decided when the mailing is made.
package struct MailingTracking: Codable, Sendable, Equatable {
    /// Opens and clicks are counted. Else the messages have no more than addresses of the tracker's pages, where the templates name them.
    package var isCounted = true
    /// The campaign parameters of counted links, by `CampaignParameter`'s names.
    package var campaign: [String: String] = [:]
    /// The column whose value tells that a recipient objects: his visits are not counted. Nil for none.
    package var unless: String?
    /// The targets of the counted links by their numbers, as the templates have them. A later release may find others.
    package var targets: [String] = []
    /// How many of them each part has, text before HTML; they are numbered through the parts.
    package var linksOfParts: [Int] = []

    package init(isCounted: Bool = true, campaign: [String: String] = [:]) {
        self.isCounted = isCounted
        self.campaign = campaign
    }

    /// The counted links, in the order of their numbers.
    package var links: [MessageLink] { targets.enumerated().map { MessageLink(number: UInt16(clamping: $0), target: $1) } }
}

/// A link of a message that is counted.
package struct MessageLink: Sendable, Equatable {
    /// Its place among the message's links, from 0: those of the text first, where the mailing has one of its own.
    package let number: UInt16
    /// The target as the template has it, with its merge tags and without campaign parameters.
    package let target: String

    package init(number: UInt16, target: String) {
        self.number = number
        self.target = target
    }
}

/// A parameter that tells a site's statistics where a visitor comes from: `utm_source` and so on.
package enum CampaignParameter: String, Sendable, CaseIterable {
    case source, medium, campaign, term, content, id

    /// As it stands in a query.
    package var name: String { "utm_\(rawValue)" }
}
