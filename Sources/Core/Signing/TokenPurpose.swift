/// What a token allows. It is signed with the token: one for another purpose is refused.
package enum TokenPurpose: UInt8, Sendable, CaseIterable {
    /// The pixel of an e-mail, which tells that images were loaded.
    case open = 1
    /// A link of an e-mail, whose target is signed with the token.
    case click
    /// A link of a short message, whose target is asked for by its number.
    case shortLink
    case unsubscribe
    case preferences
    /// The message in a browser.
    case view
    /// The address that a message comes back to (`ReturnPath`), whose token has a form of its own.
    case returnPath
}
