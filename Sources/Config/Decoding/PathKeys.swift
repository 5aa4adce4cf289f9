extension PathConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        allowEncodedSlash = keys.flag("allow_encoded_slash") ?? allowEncodedSlash
        allowBackslash = keys.flag("allow_backslash") ?? allowBackslash
        mergeSlashes = keys.flag("merge_slashes") ?? mergeSlashes
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("allow_encoded_slash", allowEncodedSlash)
        json.member("allow_backslash", allowBackslash)
        json.member("merge_slashes", mergeSlashes)
    }
}
