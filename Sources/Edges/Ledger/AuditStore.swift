package import Model

/// The audit log: what persons ordered. Entries are added with the changes that they tell of; only an order that is carried out in parts
/// adds to its own.
package protocol AuditStore: Sendable {
    /// Entries, the newest first.
    /// - Parameters:
    ///   - filter: which ones.
    ///   - limit: how many at most.
    func audit(_ filter: AuditFilter, limit: Int) async throws(LedgerError) -> [AuditEntry]
}

/// The order that a change of the ledger carries out. The change and its audit entry are one transaction.
package struct AuditNote: Sendable, Equatable {
    package enum Order: String, Sendable, CaseIterable {
        case add, pause, resume, stop, speed, limit, resolve
        /// Of dead letters.
        case retry, drop
        /// The message is sent again to recipients who had failed.
        case retryFailed = "retry_failed"
        /// A copy took the place of the ledger.
        case restore
        /// The recipients of a mailing that ended long ago are not kept any more.
        case prune
        /// The values of a person were taken out.
        case erase
        /// Suppressions were added, or removed.
        case suppress, unsuppress
        /// Categories were made known, or forgotten.
        case addCategories = "add_categories"
        case removeCategory = "remove_category"
        /// Subscriptions of webhooks.
        case addWebhook = "add_webhook"
        case removeWebhook = "remove_webhook"
        case enableWebhook = "enable_webhook"
        case disableWebhook = "disable_webhook"
        case replayWebhook = "replay_webhook"
        case rotateWebhookSecret = "rotate_webhook_secret"
        /// Customers and their attributes.
        case importCustomers = "import_customers"
        case importEvents = "import_events"
        case importOrders = "import_orders"
        case removeCustomers = "remove_customers"
        case addAttribute = "add_attribute"
        /// Segments of customers.
        case saveSegment = "save_segment"
        case removeSegment = "remove_segment"
        /// A mailing's visits were classified again.
        case recount
    }

    package var order: Order
    /// Who gave it.
    package var actor: String

    package init(_ order: Order, actor: String) {
        self.order = order
        self.actor = actor
    }
}

/// Which entries are wanted; nil is all.
package struct AuditFilter: Sendable, Equatable {
    package var object: AuditedObject?
    /// Not before that time, in milliseconds since 1970.
    package var since: Int64?
    /// Below that number: the last one of the page before.
    package var before: Int64?

    package init(object: AuditedObject? = nil, since: Int64? = nil, before: Int64? = nil) {
        self.object = object
        self.since = since
        self.before = before
    }
}

/// What one order changed.
package struct AuditEntry: Sendable, Equatable {
    /// Grows with each entry.
    package var number: Int64
    /// Milliseconds since 1970.
    package var at: Int64
    package var actor: String
    /// An `AuditNote.Order`, or a word of a newer release.
    package var order: String
    package var object: AuditedObject
    /// `AuditedValues` as JSON objects.
    package var before: String
    package var after: String
}

/// The values that an order changes, before or after it; those that it does not touch are nil.
package struct AuditedValues: Sendable, Codable, Equatable {
    package var state: String?
    package var reason: String?
    /// RFC 3339.
    package var start: String?
    package var speed: String?
    package var limit: String?
    package var decision: String?
    package var recipients: Int?
    /// Dead letters.
    package var entries: Int?
    /// Recipients that wait for a decision.
    package var held: Int?
    package var name: String?
    package var file: String?
    package var identity: String?
    package var onlyNew: Bool?
    package var suppressions: Int?
    package var category: String?
    package var provider: String?
    /// RFC 3339.
    package var expires: String?
    /// Without user information and query.
    package var url: String?
    package var types: String?
    /// RFC 3339.
    package var since: String?
    package var until: String?
    /// Of a mailing: recipients that failed or expired, and what a round is about.
    package var failed: Int?
    package var round: Int?
    package var reasons: String?
    /// Visits that have another class.
    package var visits: Int?

    package init() {}
}
