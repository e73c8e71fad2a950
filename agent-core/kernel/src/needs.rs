//! Plugins that a plugin or a command stands on, named by type.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::sync::Arc;

use crate::Plugin;

/// What a plugin or a command needs of others: `()`, a plugin, `Option` of a plugin, and tuples of up to eight of these.
///
/// It is implemented for just these; there is nothing to implement by hand.
pub trait Needs: sealed::Sealed + Send + 'static {
    /// What is handed over: `Arc<A>` for `A`, `Option<Arc<A>>` for `Option<A>`, tuples for tuples.
    type Provided: Send + 'static;

    #[doc(hidden)]
    fn list(out: &mut Vec<Need>);

    /// Nothing where a plugin is missing that is not optional.
    #[doc(hidden)]
    fn take(of: &Started) -> Option<Self::Provided>;
}

/// One plugin that is needed.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Need {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
    pub(crate) type_name: &'static str,
    pub(crate) is_optional: bool,
}

impl Need {
    pub(crate) fn of<P: Plugin>(is_optional: bool) -> Self {
        Self { id: TypeId::of::<P>(), name: P::NAME, type_name: type_name::<P>(), is_optional }
    }
}

/// The plugins that have started, by type.
#[doc(hidden)]
#[derive(Default, Clone)]
pub struct Started(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Started {
    pub(crate) fn insert<P: Plugin>(&mut self, plugin: Arc<P>) {
        self.0.insert(TypeId::of::<P>(), plugin);
    }

    pub(crate) fn get<P: Plugin>(&self) -> Option<Arc<P>> {
        let any = Arc::clone(self.0.get(&TypeId::of::<P>())?);
        any.downcast().ok()
    }
}

impl<P: Plugin> Needs for P {
    type Provided = Arc<P>;

    fn list(out: &mut Vec<Need>) {
        out.push(Need::of::<P>(false));
    }

    fn take(of: &Started) -> Option<Arc<P>> {
        of.get::<P>()
    }
}

impl<P: Plugin> Needs for Option<P> {
    type Provided = Option<Arc<P>>;

    fn list(out: &mut Vec<Need>) {
        out.push(Need::of::<P>(true));
    }

    fn take(of: &Started) -> Option<Option<Arc<P>>> {
        Some(of.get::<P>())
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Needs),*> Needs for ($($name,)*) {
            type Provided = ($($name::Provided,)*);

            fn list(_out: &mut Vec<Need>) {
                $($name::list(_out);)*
            }

            fn take(_of: &Started) -> Option<Self::Provided> {
                Some(($($name::take(_of)?,)*))
            }
        }

        impl<$($name: Needs),*> sealed::Sealed for ($($name,)*) {}
    };
}

tuples!();
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

mod sealed {
    pub trait Sealed {}
    impl<P: crate::Plugin> Sealed for P {}
    impl<P: crate::Plugin> Sealed for Option<P> {}
}
