/// The scripts, embedded from `Scripts/`; each is loaded behind `prelude.lua`.
enum Scripts {
    static let start = script("start", PackageResources.start_lua)
    static let admit = script("admit", PackageResources.admit_lua)
    static let dispatch = script("dispatch", PackageResources.dispatch_lua)
    static let dispatched = script("dispatched", PackageResources.dispatched_lua)
    static let establish = script("establish", PackageResources.establish_lua)
    static let forget = script("forget", PackageResources.forget_lua)
    static let heartbeat = script("heartbeat", PackageResources.heartbeat_lua)
    static let lead = script("lead", PackageResources.lead_lua)
    static let leave = script("leave", PackageResources.leave_lua)
    static let limits = script("limits", PackageResources.limits_lua)
    static let marks = script("marks", PackageResources.marks_lua)
    static let observe = script("observe", PackageResources.observe_lua)
    static let publish = script("publish", PackageResources.publish_lua)
    static let queue = script("queue", PackageResources.queue_lua)
    static let ready = script("ready", PackageResources.ready_lua)
    static let recall = script("recall", PackageResources.recall_lua)
    static let reclaim = script("reclaim", PackageResources.reclaim_lua)
    static let remove = script("remove", PackageResources.remove_lua)
    static let renew = script("renew", PackageResources.renew_lua)
    static let report = script("report", PackageResources.report_lua)
    static let reserve = script("reserve", PackageResources.reserve_lua)
    static let settle = script("settle", PackageResources.settle_lua)
    static let steer = script("steer", PackageResources.steer_lua)
    static let take = script("take", PackageResources.take_lua)
    static let takeover = script("takeover", PackageResources.takeover_lua)
    static let unmark = script("unmark", PackageResources.unmark_lua)
    static let withdraw = script("withdraw", PackageResources.withdraw_lua)

    private static func script(_ name: String, _ source: [UInt8]) -> RedisScript {
        RedisScript(name: name, source: PackageResources.prelude_lua + source)
    }
}
