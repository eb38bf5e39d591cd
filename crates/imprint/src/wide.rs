//! Plain loops in the widest vectors that the processor has.

/// Runs a block compiled for the processor at hand: the fields, then the block over them.
///
/// `pulp` takes closures as well, but those are not inlined into the function that may use wide vectors, and
/// then they do not. A method that is always inlined is; so must be what it calls.
macro_rules! wide {
    ($arch:expr, { $($field:ident: $type:ty = $value:expr),* $(,)? } -> $out:ty $body:block) => {{
        struct Wide<'a> { $($field: $type),* }
        impl<'a> pulp::WithSimd for Wide<'a> {
            type Output = $out;
            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, _: S) -> $out {
                let Self { $($field),* } = self;
                $body
            }
        }
        $arch.dispatch(Wide { $($field: $value),* })
    }};
}

pub(crate) use wide;
