/// The scripts, embedded from `Scripts/`.
enum Scripts {
    static let feed = RedisScript(name: "feed", source: PackageResources.feed_lua)
    static let begin = RedisScript(name: "begin", source: PackageResources.begin_lua)
    static let untouch = RedisScript(name: "untouch", source: PackageResources.untouch_lua)
    static let report = RedisScript(name: "report", source: PackageResources.report_lua)
    static let settle = RedisScript(name: "settle", source: PackageResources.settle_lua)
    static let turn = RedisScript(name: "turn", source: PackageResources.turn_lua)
    static let reserve = RedisScript(name: "reserve", source: PackageResources.reserve_lua)
    static let renew = RedisScript(name: "renew", source: PackageResources.renew_lua)
    static let known = RedisScript(name: "known", source: PackageResources.known_lua)
    static let marks = RedisScript(name: "marks", source: PackageResources.marks_lua)
    static let reclaim = RedisScript(name: "reclaim", source: PackageResources.reclaim_lua)
    static let remove = RedisScript(name: "remove", source: PackageResources.remove_lua)
    static let takeover = RedisScript(name: "takeover", source: PackageResources.takeover_lua)
    static let guardDuty = RedisScript(name: "guard", source: PackageResources.guard_lua)
    static let establish = RedisScript(name: "establish", source: PackageResources.establish_lua)
    static let void = RedisScript(name: "void", source: PackageResources.void_lua)
<<<<<<< HEAD
    static let limits = RedisScript(name: "limits", source: PackageResources.limits_lua)
=======
>>>>>>> e9608535a88a5ccdc8f5230d419e83abb813603b
    static let observe = RedisScript(name: "observe", source: PackageResources.observe_lua)
    static let steer = RedisScript(name: "steer", source: PackageResources.steer_lua)
    static let publish = RedisScript(name: "publish", source: PackageResources.publish_lua)
}
