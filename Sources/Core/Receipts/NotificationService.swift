import Text

/// What Amazon's SNS signs, and where its certificates may lie (docs.aws.amazon.com/sns: verifying the signatures of messages).
package enum NotificationService {
    /// Where the certificate of a message is to be fetched.
    /// - Throws: `WebhookFault.foreignCertificate` for an address that is not Amazon's own, or has a query.
    package static func certificate(of webhook: Webhook) throws(WebhookFault) -> String {
        guard let url = webhook.content["SigningCertURL"]?.plain, isOwn(url), url.hasSuffix(".pem"), !url.contains("?") else {
            throw .foreignCertificate
        }
        return url
    }

    /// An address of `sns.REGION.amazonaws.com` by https, without a user or a port of its own. A region is no `s3` or `s3-REGION`: there,
    /// `sns` would be anybody's bucket.
    static func isOwn(_ text: String) -> Bool {
        guard text.utf8.count <= 2000, let url = try? ParsedURL(text), url.scheme == "https", url.username == nil, url.password == nil,
            url.port == nil || url.port == 443
        else { return false }
        var labels = url.host.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        if labels.last == "cn" { labels.removeLast() }
        return labels.count == 4 && labels[0] == "sns" && labels[2] == "amazonaws" && labels[3] == "com"
            && labels[1].utf8.count >= 3 && !labels[1].hasPrefix("s3")
            && labels[1].utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
    }

    /// The members that are signed, by their names, each with its value in a line of its own; nil for what is no message of SNS.
    static func signed(_ message: JSONValue) -> (WebhookSignature.Digest, [UInt8])? {
        let names: [String]
        switch message["Type"]?.plain {
        case "Notification": names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        case "SubscriptionConfirmation", "UnsubscribeConfirmation":
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        default: return nil
        }
        var text = ""
        for name in names {
            guard let value = message[name]?.plain else {
                if name == "Subject" { continue }
                return nil
            }
            text += "\(name)\n\(value)\n"
        }
        switch message["SignatureVersion"]?.plain {
        case "1": return (.sha1, Array(text.utf8))
        case "2": return (.sha256, Array(text.utf8))
        default: return nil
        }
    }
}
