import CRabbitMQ

/// Converts headers and arguments to librabbitmq's tables and back.
///
/// What goes to C lives in a librabbitmq pool: it is valid until the pool is recycled, which the caller does after
/// the frame was sent.
enum FieldTable {
    static func encode(_ table: AMQPTable, in pool: UnsafeMutablePointer<amqp_pool_t>) -> amqp_table_t {
        guard !table.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
        let entries = allocate(amqp_table_entry_t.self, count: table.count, in: pool)
        // Sorted, so that equal tables make equal frames.
        for (index, field) in table.sorted(by: { $0.key < $1.key }).enumerated() {
            entries[index] = amqp_table_entry_t(
                key: bytes(field.key.utf8, in: pool),
                value: encode(field.value, in: pool)
            )
        }
        return amqp_table_t(num_entries: CInt(table.count), entries: entries)
    }

    static func bytes(_ source: some Collection<UInt8>, in pool: UnsafeMutablePointer<amqp_pool_t>) -> amqp_bytes_t {
        guard !source.isEmpty else { return amqp_bytes_t(len: 0, bytes: nil) }
        let memory = allocate(UInt8.self, count: source.count, in: pool)
        _ = UnsafeMutableBufferPointer(start: memory, count: source.count).initialize(fromContentsOf: source)
        return amqp_bytes_t(len: source.count, bytes: memory)
    }

    private static func allocate<Element>(
        _ type: Element.Type,
        count: Int,
        in pool: UnsafeMutablePointer<amqp_pool_t>
    ) -> UnsafeMutablePointer<Element> {
        guard let memory = amqp_pool_alloc(pool, count * MemoryLayout<Element>.stride) else {
            fatalError("out of memory for an AMQP table")
        }
        return memory.bindMemory(to: type, capacity: count)
    }

    private static func encode(_ value: AMQPValue, in pool: UnsafeMutablePointer<amqp_pool_t>) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func set(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(truncatingIfNeeded: kind.rawValue) }
        switch value {
        case .null: set(AMQP_FIELD_KIND_VOID)
        case .bool(let value):
            set(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = value ? 1 : 0
        case .int(let value):
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = value
        case .double(let value):
            set(AMQP_FIELD_KIND_F64)
            field.value.f64 = value
        case .string(let value):
            set(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = bytes(value.utf8, in: pool)
        case .bytes(let value):
            set(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = bytes(value, in: pool)
        case .timestamp(let value):
            set(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = value
        case .array(let values):
            set(AMQP_FIELD_KIND_ARRAY)
            let entries = allocate(amqp_field_value_t.self, count: max(values.count, 1), in: pool)
            for (index, value) in values.enumerated() { entries[index] = encode(value, in: pool) }
            field.value.array = amqp_array_t(num_entries: CInt(values.count), entries: entries)
        case .table(let value):
            set(AMQP_FIELD_KIND_TABLE)
            field.value.table = encode(value, in: pool)
        }
        return field
    }

    /// No header needs more levels; some thousand, which fit into a frame, would exhaust the stack of whoever walks
    /// through them. What is deeper is read as null.
    static let maximumDepth = 32

    static func decode(_ table: amqp_table_t, level: Int = 1) -> AMQPTable {
        var result: AMQPTable = [:]
        for index in 0..<Int(table.num_entries) {
            guard let entry = table.entries?[index] else { break }
            // A key that is no text, or would be longer once repaired, could not be sent on.
            if let key = text(entry.key) { result[key] = decode(entry.value, level: level) }
        }
        return result
    }

    private static func decode(_ field: amqp_field_value_t, level: Int) -> AMQPValue {
        switch amqp_field_value_kind_t(rawValue: UInt32(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: .bool(field.value.boolean != 0)
        case AMQP_FIELD_KIND_I8: .int(Int64(field.value.i8))
        case AMQP_FIELD_KIND_U8: .int(Int64(field.value.u8))
        case AMQP_FIELD_KIND_I16: .int(Int64(field.value.i16))
        case AMQP_FIELD_KIND_U16: .int(Int64(field.value.u16))
        case AMQP_FIELD_KIND_I32: .int(Int64(field.value.i32))
        case AMQP_FIELD_KIND_U32: .int(Int64(field.value.u32))
        case AMQP_FIELD_KIND_I64: .int(field.value.i64)
        case AMQP_FIELD_KIND_U64: .int(Int64(clamping: field.value.u64))
        case AMQP_FIELD_KIND_F32: .double(Double(field.value.f32))
        case AMQP_FIELD_KIND_F64: .double(field.value.f64)
        case AMQP_FIELD_KIND_UTF8: .string(string(field.value.bytes))
        case AMQP_FIELD_KIND_BYTES: .bytes(array(field.value.bytes))
        case AMQP_FIELD_KIND_TIMESTAMP: .timestamp(field.value.u64)
        case AMQP_FIELD_KIND_ARRAY where level < maximumDepth:
            .array(
                UnsafeBufferPointer(start: field.value.array.entries, count: Int(field.value.array.num_entries))
                    .map { decode($0, level: level + 1) }
            )
        case AMQP_FIELD_KIND_TABLE where level < maximumDepth: .table(decode(field.value.table, level: level + 1))
        default: .null
        }
    }

    static func string(_ bytes: amqp_bytes_t) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }

    /// nil for what is not UTF-8.
    static func text(_ bytes: amqp_bytes_t) -> String? {
        let bytes = UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len)
        // What is all ASCII need not be looked at scalar by scalar.
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The broker's words for people.
    static func words(_ bytes: amqp_bytes_t) -> String { Printable.text(string(bytes)) }

    static func array(_ bytes: amqp_bytes_t) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len))
    }
}
